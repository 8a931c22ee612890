import packageJson from '../../package.json' with { type: 'json' };

/** The version of this gate, from its package.json. */
export const GATE_VERSION: string = packageJson.version;

import { hasProgram, succeeds, type TrustStore } from './store.ts';

/** The password that Java's own store of roots has everywhere; it keeps nobody out. */
const PASSWORD = ['-storepass', 'changeit'] as const;

/** The roots of the Java that `keytool` belongs to; its own file says whether root is needed. */
export const java: TrustStore = {
  name: 'java',
  root: false,
  present: ({ env }) => hasProgram('keytool', env),
  lacking: ({ env }) =>
    hasProgram('keytool', env)
      ? undefined
      : { reason: 'keytool is not installed', hint: 'install a JDK, or add its bin folder to PATH' },
  places: ({ label, certFile, env }) => {
    const store = [...PASSWORD, '-cacerts', '-alias', label] as const;
    const remove = ['keytool', '-delete', ...store] as const;
    return [
      {
        path: 'keytool -cacerts',
        taken: () => succeeds(['keytool', '-list', ...store], env),
        install: [
          { command: remove, mayFail: true },
          { command: ['keytool', '-importcert', '-noprompt', ...store, '-file', certFile] },
        ],
        uninstall: [{ command: remove }],
      },
    ];
  },
};

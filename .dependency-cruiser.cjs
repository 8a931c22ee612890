// Imports go one way: commands -> supervisor, doctor, tui, export -> capture, proxy, store, ca, analysis
// -> policy, parsers, rules, detect -> core. platform imports only core. See docs/architecture.md.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|platform)/', pathNot: [from, ...allowed] },
});
const core = '^src/core/';
const leaves = ['^src/policy/', '^src/parsers/', '^src/rules/', '^src/detect/'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-test-in-product',
      severity: 'error',
      from: { path: '^(src|platform)/' },
      to: { path: '^(test|fixtures)/' },
    },
    {
      name: 'no-undeclared',
      severity: 'error',
      from: { path: '^(src|platform)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('core-imports-nothing', core, []),
    only('platform-imports-core', '^platform/', [core]),
    only('policy-imports-core', '^src/policy/', [core]),
    only('proxy-imports-policy', '^src/proxy/', [core, '^src/policy/']),
    only('store-imports-core', '^src/store/', [core]),
    only('capture-imports-store', '^src/capture/', [core, '^src/store/', ...leaves]),
    only('analysis-imports-readers', '^src/analysis/', [core, '^src/store/', ...leaves]),
    only('parsers-import-core', '^src/parsers/', [core]),
    only('rules-import-core', '^src/rules/', [core]),
    only('detect-imports-core', '^src/detect/', [core]),
    only('ca-imports-core', '^src/ca/', [core]),
    only('output-imports-core', '^src/output/', [core]),
    only('supervisor-starts-everything', '^src/supervisor/', [
      core,
      ...leaves,
      '^src/(capture|proxy|store|ca|analysis|output)/',
      '^platform/',
    ]),
    only('doctor-looks-at-everything', '^src/doctor/', [
      core,
      ...leaves,
      '^src/(capture|proxy|store|ca|analysis|output)/',
      '^platform/',
      // The jail that is proven is the one that a run gets.
      '^src/supervisor/jail-spec\\.ts$',
    ]),
    only('export-reads', '^src/export/', [core, '^src/(store|analysis)/']),
    only('demo-uses-the-product', '^src/demo/', [
      core,
      ...leaves,
      '^src/(capture|proxy|store|ca|analysis|supervisor)/',
    ]),
    {
      name: 'nobody-imports-commands',
      severity: 'error',
      from: { pathNot: '^(src/(commands/|program|cli)|test/)' },
      to: { path: '^src/(commands/|program|cli)' },
    },
    {
      name: 'zod-or-node-in-core',
      severity: 'error',
      from: { path: core },
      to: { pathNot: [core], dependencyTypesNot: ['core'], path: 'node_modules/(?!(zod|ulid|@types)/)' },
    },
    {
      name: 'one-home-for-sqlite',
      severity: 'error',
      from: { pathNot: '^(src/store/sqlite\\.ts|test/)' },
      to: { path: 'node_modules/better-sqlite3' },
    },
    {
      name: 'one-home-for-toml',
      severity: 'error',
      from: { pathNot: '^(src/policy/(config|profiles)\\.ts|test/)' },
      to: { path: 'node_modules/smol-toml' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};

import type { Random } from './random.ts';

/** Texts without secrets or personal data that look as if they had some. */
export const NEGATIVES: Readonly<Record<string, (r: Random) => string>> = {
  gitLog: (r) =>
    `commit ${r.hex(40)}\nMerge: ${r.hex(7)} ${r.hex(7)}\nAuthor: bot <noreply@github.com>\n    index ${r.hex(7)}..${r.hex(7)} 100644`,
  uuid: (r) => `request_id=${r.uuid()} trace=${r.hex(32)} span=${r.hex(16)}`,
  lockfile: (r) =>
    `"node_modules/a": {\n  "version": "${r.digits(1)}.${r.digits(2)}.${r.digits(1)}",\n  "resolved": "https://packages.example.test/a/-/a-1.2.3.tgz",\n  "integrity": "sha512-${r.base64(86)}=="\n}`,
  goSum: (r) => `github.com/a/b v1.2.3 h1:${r.base64(43)}=\ngithub.com/a/b v1.2.3/go.mod h1:${r.base64(43)}=`,
  cargoLock: (r) => `[[package]]\nname = "token"\nversion = "1.0.${r.digits(3)}"\nchecksum = "${r.hex(64)}"`,
  pngDataUri: (r) => `<img src="data:image/png;base64,iVBORw0KGgo${r.base64(2000)}==">`,
  minifiedJs: (r) =>
    `!function(e,t){var n=e.token,r=t.secretKey||n.password;for(var i=0;i<${r.digits(4)};i++)r=n(i,"${r.alnum(6)}")}(window,document);`,
  diskWords: (r) =>
    `the disk-${r.alnum(8)}-storage and task-${r.digits(6)}-runner, risk-assessment-for-2024-and-beyond, ask-anything-you-want-about-it`,
  kebabSk: () => 'class="sk-folding-cube sk-cube1 sk-circle-bounce-delay-animation-container-element"',
  numberRun: (r) => Array.from({ length: 40 }, () => r.digits(4)).join(' '),
  commaNumbers: (r) => Array.from({ length: 30 }, () => r.digits(16)).join(', '),
  timestamps: (r) => `1732182000${r.digits(6)} 1732182001${r.digits(6)} 2026-11-21T10:11:12.${r.digits(6)}Z`,
  snowflakes: (r) => `{"id":"1${r.digits(17)}","order_id":"4${r.digits(15)}","ts":173218200${r.digits(4)}}`,
  floats: (r) => `0.${r.digits(16)} -1.${r.digits(15)}e-5 3.${r.digits(16)}`,
  versions: (r) =>
    `node v20.${r.digits(2)}.${r.digits(1)}, openssl 3.0.${r.digits(2)}, build 10.0.19041.${r.digits(3)}, lodash@4.17.21, @types/node@20.${r.digits(2)}.1`,
  privateIps: (r) =>
    `client ip 192.168.1.${r.below(255)} remote address: 127.0.0.1:8080, 10.0.0.${r.below(255)} 0.0.0.0`,
  placeholders: () =>
    'API_KEY=your-api-key-here\nPASSWORD=changeme\nSECRET_KEY=xxxxxxxxxxxxxxxxxxxx\nTOKEN=<your token>\nDB_PASSWORD=$' +
    '{DB_PASSWORD}\nexport OPENAI_API_KEY=sk-...\nOPENAI_API_KEY=sk-your-key-goes-here-1234',
  exampleAws: () =>
    `AWS_ACCESS_KEY_ID=${'AKIA'}IOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY${'EXAMPLE'}KEY`,
  placeholderUrls: () =>
    'postgres://user:password@localhost:5432/db redis://:password@redis:6379 https://user:pass@example.com mysql://root:$' +
    '{MYSQL_PASSWORD}@db/app',
  envCode: () =>
    'const apiKey = process.env.OPENAI_API_KEY;\nconst token = await getToken(session.user.id);\npassword: string;\ntoken: CancellationToken;\nif (password !== user.password) throw new InvalidPasswordError();',
  pythonCode: () =>
    'def login(self, password: Optional[str] = None, token=os.environ["TOKEN"]):\n    self.api_key = api_key or settings.API_KEY\n    secret = hashlib.sha256(password.encode()).hexdigest()',
  yamlRefs: () =>
    'password:\n  valueFrom:\n    secretKeyRef:\n      name: db-credentials\n      key: password\ntoken: $' +
    '{{ secrets.GITHUB_TOKEN }}',
  usage: (r) =>
    `{"usage":{"input_tokens":${r.digits(5)},"output_tokens":${r.digits(4)},"max_tokens":4096,"token_count":"${r.digits(6)}"}}`,
  schema: () =>
    '{"properties":{"password":{"type":"string","description":"The password of the user"},"api_key":{"type":"string","minLength":20}}}',
  atSigns: () =>
    'icon@2x.png user@localhost git@github.com:owner/repo.git @app.route("/x") a @ b.T npm:pkg@1.2.3 getty@tty1.service root@host:~# noreply@anthropic.com',
  cssAndColors: (r) => `.a{color:#${r.hex(6)};margin:-1px;width:calc(100% - 12px)}.sk-${r.hex(4)}{}`,
  base64Binary: (r) =>
    `"data": "${Buffer.from(Array.from({ length: 300 }, () => r.below(256))).toString('base64')}"`,
  sshPublic: (r) => `ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ${r.base64(340)} bot`,
  certificate: (r) =>
    `-----BEGIN CERTIFICATE-----\n${Array.from({ length: 10 }, () => r.base64(64)).join('\n')}\n-----END CERTIFICATE-----\n-----BEGIN PUBLIC KEY-----\n${r.base64(64)}\n-----END PUBLIC KEY-----`,
  hexDump: (r) =>
    Array.from(
      { length: 6 },
      (_, i) => `0000${i}0: ${Array.from({ length: 8 }, () => r.hex(4)).join(' ')}`,
    ).join('\n'),
  phonesThatAreNot: (r) =>
    `range 100-200-3000, ISBN 978-3-16-148410-0, 2024-01-02, id 12-34-56-78, part 555-12, lines +12 -34, +${r.digits(2)}%, x=+1${r.digits(3)}`,
  dates: () => 'released 2024-03-12, updated 12/03/2024 10:20, expires Mar 3 2025, reborn in 2019',
  coordinates: (r) =>
    `lat 52.${r.digits(6)}, lon 13.${r.digits(6)}; M10 10 L${r.digits(3)} ${r.digits(3)} C 12.5,33.1 44 ${r.digits(3)}z`,
  sourceMap: (r) =>
    `{"version":3,"mappings":"AAAA,SAAS,GAAG;${r.text(400, 'ACEGIKMOQSUWYacegikmoqsuwy;,')}"}`,
  sqlAndDocs: () =>
    "CREATE USER app WITH PASSWORD :pwd; -- see 'How to reset a password' and SELECT password_hash FROM users WHERE token = $1",
  markdown: () =>
    'Set the `Authorization: Bearer <token>` header. Use `--password` to pass a password. The secret: keep it simple. Password: at least 8 characters.',
  objectIds: (r) => `ObjectId("${r.hex(24)}") sha256:${r.hex(64)} etag="${r.hex(32)}" md5=${r.hex(32)}`,
  jsIdentifiers: () =>
    'const nextTokenIsIdentifierOrKeyword = token === SyntaxKind.Identifier; this.tokenFullStart = pos; tokenizer.nextToken();',
};

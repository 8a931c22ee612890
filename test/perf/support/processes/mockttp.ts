/** mockttp as a contender, passing everything through. Arguments as for gate. */
import { generateCACertificate, getLocal } from 'mockttp';

const [, , , ca = '', originPort = ''] = process.argv;
const { key, cert } = await generateCACertificate();
const server = getLocal({ https: { key, cert }, http2: false, recordTraffic: false });
// Sent to an address instead of the name, since it would ask real name servers for it.
await server.forUnmatchedRequest().thenForwardTo(`https://127.0.0.1:${originPort}`, {
  additionalTrustedCAs: [{ certPath: ca }],
});
await server.start();
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
process.on('SIGTERM', () => process.exit());

import { envInToolResult } from './env-in-tool-result.ts';
import { hostNotAllowlisted } from './host-not-allowlisted.ts';
import { oversizedRequest } from './oversized-request.ts';
import { oversizedResponse } from './oversized-response.ts';
import { parseError } from './parse-error.ts';
import { permissiveCapture } from './permissive-capture.ts';
import type { Rule } from './rule.ts';
import { secretInRequest } from './secret-in-request.ts';
import { unknownMcpEndpoint } from './unknown-mcp-endpoint.ts';
import { wsPinnedUpstream } from './ws-pinned-upstream.ts';

/** The rules, in the order in which their flags stand in a record. */
export const RULES: readonly Rule[] = [
  hostNotAllowlisted,
  secretInRequest,
  envInToolResult,
  oversizedRequest,
  unknownMcpEndpoint,
  oversizedResponse,
  permissiveCapture,
  parseError,
  wsPinnedUpstream,
];

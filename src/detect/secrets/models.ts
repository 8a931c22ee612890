import { isRandom, isTokenBody } from '../checks/text.ts';
import type { Kind } from '../types.ts';
import { token } from './define.ts';

const end = '(?![A-Za-z0-9_-])';
const re = (source: string) => new RegExp(source + end);

/** A plain `sk-` key is also how many words end (`disk-`, `task-`): one random piece, in mixed characters. */
function isPlainSk(value: string): boolean {
  return isTokenBody(value.slice(3)) && /[0-9].*[0-9].*[0-9]/.test(value);
}

/** Keys of model providers. Formats: as issued by each provider's console and named in its reference. */
export const MODEL_KEYS: readonly Kind[] = [
  // console.anthropic.com: api03 and admin01 keys end in AA; Claude Code's OAuth tokens are oat01 and ort01
  token('anthropic_api_key', 'sk-ant-', /sk-ant-[A-Za-z0-9_-]{24,220}/, { left: 'alnum', rank: 0 }),
  // platform.openai.com: project, service account and admin keys; a fixed T3BlbkFJ ("OpenAI") in the middle
  token('openai_api_key', 'sk-proj-', /sk-(?:proj|svcacct|admin|None|service)-[A-Za-z0-9_-]{24,260}/, {
    anchors: ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-none-', 'sk-service-'],
    left: 'alnum',
    rank: 0,
  }),
  token('openai_session_key', 'sess-', re('sess-[A-Za-z0-9]{40}')),
  token('openrouter_api_key', 'sk-or-v1-', re('sk-or-v1-[0-9a-f]{40,64}')),
  token('langfuse_secret_key', 'sk-lf-', re('sk-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')),
  // OpenAI's first form (48), DeepSeek, Moonshot, DashScope and others (32 and up)
  token('openai_api_key', 'sk-', re('sk-[A-Za-z0-9]{20,100}'), { check: isPlainSk, rank: 2 }),
  token('huggingface_token', 'hf_', re('hf_[A-Za-z0-9]{30,40}'), { check: (v) => isRandom(v.slice(3)) }),
  token('huggingface_token', 'api_org_', re('api_org_[A-Za-z0-9]{30,40}'), {
    check: (v) => isRandom(v.slice(8)),
  }),
  token('groq_api_key', 'gsk_', re('gsk_[A-Za-z0-9]{40,60}')),
  token('xai_api_key', 'xai-', re('xai-[A-Za-z0-9]{60,100}')),
  token('replicate_api_token', 'r8_', re('r8_[A-Za-z0-9]{36,40}')),
  token('perplexity_api_key', 'pplx-', re('pplx-[A-Za-z0-9]{40,60}')),
  token('fireworks_api_key', 'fw_', re('fw_[A-Za-z0-9]{22,30}')),
  token('nvidia_api_key', 'nvapi-', re('nvapi-[A-Za-z0-9_-]{50,90}')),
  token('cerebras_api_key', 'csk-', re('csk-[a-z0-9]{40,60}')),
  token('tavily_api_key', 'tvly-', re('tvly-(?:dev-|prod-)?[A-Za-z0-9]{20,50}')),
  token('firecrawl_api_key', 'fc-', re('fc-[0-9a-f]{32}')),
  token('e2b_api_key', 'e2b_', re('e2b_[0-9a-f]{40}')),
  token('voyage_api_key', 'pa-', re('pa-[A-Za-z0-9_-]{43}')),
  token('jina_api_key', 'jina_', re('jina_[a-f0-9]{32}[A-Za-z0-9_-]{20,30}')),
  token('langsmith_api_key', 'lsv2_', re('lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}')),
  token('elevenlabs_api_key', 'sk_', re('sk_[0-9a-f]{48}')),
  token('cursor_api_key', 'key_', re('key_[0-9a-f]{64}')),
  token('cursor_api_key', 'crsr_', re('crsr_[0-9a-f]{60,70}')),
  token('bedrock_api_key', 'ABSK', /ABSK[A-Za-z0-9+/]{80,200}={0,2}/),
];

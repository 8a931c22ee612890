/** What a parser reads from: an object of unknown make. */
export type Json = { readonly [key: string]: unknown };

/** The value as an object; an empty one where it is none. */
export function objectOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

/** The objects of an array; none where it is no array. */
export function objectsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The value as a text; undefined where it is none. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value as a count of something; 0 where it is none. */
export function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}

/** The object that a text is. Throws Error with `what` where it is none. */
export function parseObject(text: string | undefined, what: string): Json {
  const value = tryParse(text ?? '');
  if (!isObject(value)) throw new Error(`${what} is no JSON object`);
  return value;
}

/** The value of a JSON text; undefined where it is not JSON. */
export function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

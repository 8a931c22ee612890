import type { PackReader } from '../../store/pack-reader.ts';

/** Opens the bodies of a run; undefined where they are missing or no pack, which is a matter for `gate verify`. */
export async function openPackIfThere(file: string): Promise<PackReader | undefined> {
  const { openPackReader } = await import('../../store/pack-reader.ts');
  try {
    return await openPackReader(file);
  } catch {
    // What is shown then says of each body that it cannot be read.
    return undefined;
  }
}

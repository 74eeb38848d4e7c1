/** The checks of launchers on WebGL, in a page. */
import { openTextures } from '../../src/tensor/backend/gpu/launch/textures.js';
import { launcherChecks } from './launcher-checks.js';

interface Checked {
  readonly mode: string;
  readonly adapter: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly traits: Readonly<Record<string, unknown>>;
  /** What is wrong, by the name of the check. */
  readonly wrong: Readonly<Record<string, readonly string[]>>;
  readonly lost: string | null;
  readonly lostAtTheEnd: string | null;
  /** What reading says then. */
  readonly readAtTheEnd: string;
  /** Whether the page's own interface GPU is what it was. */
  readonly untouched: boolean;
}

export const run = async (): Promise<Checked> => {
  const native: unknown = Reflect.get(globalThis, 'GPU');
  const launcher = await openTextures('webgl2');
  const untouched = typeof native === 'function' && Reflect.get(globalThis, 'GPU') === native;
  const wrong: Record<string, readonly string[]> = {};
  for (const [name, check] of Object.entries(launcherChecks)) {
    wrong[name] = await check(launcher).catch(error => [String(error)]);
  }
  const { mode, adapter, limits, traits, lost } = launcher;
  const buffer = launcher.upload(new Float32Array(8));
  await launcher.destroy();
  const read = async (): Promise<string> => `${await launcher.read(buffer)}`;
  const readAtTheEnd = await read().catch(String);
  return {
    mode,
    adapter,
    limits,
    traits: { ...traits },
    wrong,
    lost,
    lostAtTheEnd: launcher.lost,
    readAtTheEnd,
    untouched,
  };
};

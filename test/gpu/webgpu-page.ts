/** The checks of launchers on WebGPU, in a page. */
import { openWebGpu } from '../../src/tensor/backend/gpu/launch/webgpu.js';
import { launcherChecks } from './launcher-checks.js';

interface Checked {
  readonly mode: string;
  readonly adapter: string;
  readonly limits: Readonly<Record<string, number>>;
  /** What is wrong, by the name of the check. */
  readonly wrong: Readonly<Record<string, readonly string[]>>;
  /** What reading says of what the device has refused, and then of something else. */
  readonly refused: readonly string[];
  /** What a shader that is none is refused by. */
  readonly uncompiled: string;
  readonly lost: string | null;
  readonly lostAtTheEnd: string | null;
  /** What reading says then. */
  readonly readAtTheEnd: string;
}

export const run = async (): Promise<Checked> => {
  const launcher = await openWebGpu();
  const wrong: Record<string, readonly string[]> = {};
  for (const [name, check] of Object.entries(launcherChecks)) {
    wrong[name] = await check(launcher).catch(error => [String(error)]);
  }
  const { mode, adapter, limits, lost } = launcher;
  const buffer = launcher.upload(new Float32Array(8).fill(7));
  const reading = async (part: typeof buffer): Promise<string> => `${await launcher.read(part)}`;
  const refused = [
    await reading(launcher.slice(buffer, 4096, 8)).catch(String),
    await reading(launcher.slice(buffer, 0, 4)).catch(String),
  ];
  const uncompiled = await Promise.resolve(
    launcher.prepare({
      kind: 'shader',
      name: 'none',
      source: 'fn main() { x }',
      workgroups: [1, 1, 1],
      reads: [],
      makes: [1],
      numbers: [],
      flops: 0,
    }),
  ).then(() => 'compiled', String);
  await launcher.destroy();
  const readAtTheEnd = await reading(buffer).catch(String);
  const lostAtTheEnd = launcher.lost;
  return { mode, adapter, limits, wrong, refused, uncompiled, lost, lostAtTheEnd, readAtTheEnd };
};

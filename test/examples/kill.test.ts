/**
 * A run that is killed (SIGKILL, at random times and while the checkpoint is being written) and resumed, as often as it
 * takes, ends with the files of a run that nothing has happened to, byte for byte.
 *
 * Two kills by default; fifty: `KILLS=50 npx vitest run test/examples/kill.test.ts`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, watch } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const kills = Number(process.env.KILLS ?? 2);
const compared = ['samples.png', 'trajectory.png', 'loss.svg', 'checkpoint.safetensors'] as const;
const small = '--network mlp --steps 30 --batch 2 --sample-steps 2 --guidance 1 --judge 0 --checkpoint-every 1'.split(
  ' ',
);

/** The process itself: npm between it and the test would be killed in its place. */
const start = (out: string, ...args: readonly string[]): ChildProcess =>
  spawn(
    process.execPath,
    ['--conditions=tenfold-source', '--import=tsx', 'examples/digits/main.ts', ...small, '--out', out, ...args],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );

const end = async (child: ChildProcess): Promise<number | null> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
};

/** Kills after a time, or at a moment at which a checkpoint is being written. */
const killAt = (child: ChildProcess, out: string, milliseconds: number | 'writing'): (() => void) => {
  const kill = (): boolean => child.kill('SIGKILL');
  if (milliseconds !== 'writing') {
    const timer = setTimeout(kill, milliseconds);
    return () => clearTimeout(timer);
  }
  // At any of the writes, the earlier ones more often.
  const watcher = watch(out, (_, name) => {
    if (name?.startsWith('checkpoint') && name.endsWith('.tmp') && Math.random() < 0.2) kill();
  });
  return () => watcher.close();
};

let folder = '';
let whole: Readonly<Record<string, Buffer>> = {};
/** Milliseconds of the shortest whole run so far: a time to kill at is one at which a run is alive. */
let duration = 0;

const filesOf = async (out: string): Promise<Readonly<Record<string, Buffer>>> =>
  Object.fromEntries(await Promise.all(compared.map(async name => [name, await readFile(join(out, name))])));

const expectWhole = async (out: string): Promise<void> => {
  const files = await filesOf(out);
  for (const name of compared) expect(files[name]!.equals(whole[name]!), name).toBe(true);
  expect((await readdir(out)).filter(name => name.endsWith('.tmp'))).toEqual([]);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenfold-kill-'));
  const started = performance.now();
  expect(await end(start(join(folder, 'whole')))).toBe(0);
  duration = performance.now() - started;
  whole = await filesOf(join(folder, 'whole'));
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

it(
  `${kills} times killed and resumed, it ends with the same files`,
  async () => {
    let run = 0;
    let killed = 0;
    let inWrite = 0;
    let isNew = true;
    while (killed < kills) {
      const out = join(folder, String(run));
      mkdirSync(out, { recursive: true });
      const started = performance.now();
      const child = start(out, '--resume');
      const stop = killAt(child, out, killed % 2 === 0 ? 'writing' : (0.2 + 0.8 * Math.random()) * duration);
      const code = await end(child);
      stop();
      if (code === null) {
        killed += 1;
        isNew = false;
        if ((await readdir(out)).some(name => name.endsWith('.tmp'))) inWrite += 1;
        continue;
      }
      // It was done before it could be killed.
      if (isNew) duration = Math.min(duration, performance.now() - started);
      isNew = true;
      expect(code).toBe(0);
      await expectWhole(out);
      await rm(out, { recursive: true });
      run += 1;
    }
    expect(await end(start(join(folder, String(run)), '--resume'))).toBe(0);
    await expectWhole(join(folder, String(run)));
    console.log(
      `${killed} kills, ${inWrite} of them in the middle of a write; ${run} runs were done before their kill`,
    );
    if (kills >= 10) expect(inWrite).toBeGreaterThan(0);
  },
  120_000 + 60_000 * kills,
);

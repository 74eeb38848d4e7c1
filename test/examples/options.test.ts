import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { defaults, parseOptions } from '../../examples/digits/options.js';

afterEach(() => vi.restoreAllMocks());

class Exit extends Error {}

/** What the process would have ended with: its code and what it had written. */
const failure = (...argv: readonly string[]) => {
  const written: string[] = [];
  const write = (text: string | Uint8Array): boolean => {
    written.push(String(text));
    return true;
  };
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
    throw new Exit();
  });
  expect(() => parseOptions(argv)).toThrow(Exit);
  const code = exit.mock.calls[0]?.[0];
  vi.restoreAllMocks();
  return { code, text: written.join('') };
};

describe('parseOptions', () => {
  it('has defaults for everything', () => {
    const options = parseOptions([]);
    expect(options).toEqual({ ...defaults, resume: undefined, sampleOnly: false });
    expect(options).toEqual({
      steps: 3000,
      batch: 128,
      seed: 0,
      out: 'out/digits',
      device: 'cpu',
      resume: undefined,
      sampleOnly: false,
    });
    expect(Object.isFrozen(options)).toBe(true);
    expect(Object.isFrozen(defaults)).toBe(true);
  });

  it('reads every option', () => {
    const argv =
      '--steps 20 --batch 1797 --seed 4294967295 --out=a/b --device gpu --resume c.safetensors --sample-only'.split(
        ' ',
      );
    expect(parseOptions(argv)).toEqual({
      steps: 20,
      batch: 1797,
      seed: 4294967295,
      out: 'a/b',
      device: 'gpu',
      resume: 'c.safetensors',
      sampleOnly: true,
    });
    expect(parseOptions([])).toEqual({ ...defaults, resume: undefined, sampleOnly: false });
  });

  it.each([
    ['--steps', '0', 'of at least 1'],
    ['--steps', '-5', 'of at least 1'],
    ['--steps', '1.5', 'of at least 1'],
    ['--steps', '1e3', 'of at least 1'],
    ['--steps', '9007199254740993', 'of at least 1'],
    ['--batch', '0', 'from 1 to 1797'],
    ['--batch', '1798', 'from 1 to 1797'],
    ['--batch', 'many', 'from 1 to 1797'],
    ['--seed', '-1', 'from 0 to 4294967295'],
    ['--seed', '4294967296', 'from 0 to 4294967295'],
    ['--seed', '', 'from 0 to 4294967295'],
  ])('refuses %s %s in one line with the option, the value and the rule', (option, value, rule) => {
    const { code, text } = failure(option, value);
    expect(code).toBe(1);
    expect(text).toBe(`error: option '${option} <n>' argument '${value}' is invalid. Give an integer ${rule}.\n`);
  });

  it('refuses --sample-only without --resume, empty paths, unknown options and stray arguments', () => {
    const cases = [
      { argv: ['--sample-only'], says: /'--sample-only' is given without '--resume <checkpoint>'/ },
      { argv: ['--out', ''], says: /'--out <dir>' argument '' is invalid\. Give the path of a directory/ },
      { argv: ['--resume', ' '], says: /'--resume <checkpoint>' argument ' ' is invalid/ },
      { argv: ['--resume'], says: /'--resume <checkpoint>' argument missing/ },
      { argv: ['--device', 'tpu'], says: /'--device <name>' argument 'tpu' is invalid. Allowed choices are cpu, gpu/ },
      { argv: ['--step', '5'], says: /unknown option '--step' \(Did you mean --steps\?\)/ },
      { argv: ['5'], says: /argument '5' belongs to no option.*npm start -- --steps/ },
    ];
    for (const { argv, says } of cases) {
      const { code, text } = failure(...argv);
      expect(code).toBe(1);
      expect(text).toMatch(says);
      expect(text).toMatch(/^error: [^\n]+\n$/);
    }
  });

  it('explains itself', () => {
    const { code, text } = failure('--help');
    expect(code).toBe(0);
    expect(text).toContain('Usage: npm start -- [options]');
    for (const option of ['--steps', '--batch', '--seed', '--out', '--device', '--resume', '--sample-only']) {
      expect(text).toContain(option);
    }
  });

  it('ends a real process with code 1 and one line, no stack trace', () => {
    const module = new URL('../../examples/digits/options.ts', import.meta.url).href;
    const code = `import(${JSON.stringify(module)}).then(m => console.log(m.parseOptions(['--batch', 'x'])))`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import=tsx', '--eval', code], {
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toBe("error: option '--batch <n>' argument 'x' is invalid. Give an integer from 1 to 1797.\n");
  });
});

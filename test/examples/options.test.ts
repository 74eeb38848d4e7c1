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
    expect(options).toEqual({ ...defaults, judge: 898, class: undefined, resume: undefined, sampleOnly: false });
    expect(options).toEqual({
      network: 'unet',
      steps: 2400,
      batch: 64,
      seed: 0,
      sampler: 'ddim',
      sampleSteps: 20,
      guidance: 1.25,
      class: undefined,
      judge: 898,
      out: 'out/digits',
      device: 'cpu',
      resume: undefined,
      sampleOnly: false,
      checkpointEvery: 100,
    });
    expect(Object.isFrozen(options)).toBe(true);
    expect(Object.isFrozen(defaults)).toBe(true);
  });

  it('reads every option', () => {
    const argv =
      '--network mlp --steps 20 --batch 1438 --seed 4294967295 --sampler dpm++ --sample-steps 7 --guidance 0.5 --class 0 ' +
      '--judge 2 --out=a/b --device gpu --resume c.safetensors --sample-only --checkpoint-every 3';
    expect(parseOptions(argv.split(' '))).toEqual({
      network: 'mlp',
      steps: 20,
      batch: 1438,
      seed: 4294967295,
      sampler: 'dpm++',
      sampleSteps: 7,
      guidance: 0.5,
      class: 0,
      judge: 2,
      out: 'a/b',
      device: 'gpu',
      resume: 'c.safetensors',
      sampleOnly: true,
      checkpointEvery: 3,
    });
    expect(parseOptions(['--resume', '--out', 'a']).resume).toBe(true);
  });

  it('judges fewer digits of a quick look', () => {
    expect(parseOptions(['--steps', '60']).judge).toBe(100);
    expect(parseOptions(['--steps', '60', '--judge', '898']).judge).toBe(898);
    expect(parseOptions(['--judge', '0']).judge).toBe(0);
  });

  it.each([
    ['--steps', '0', 'of at least 1'],
    ['--steps', '-5', 'of at least 1'],
    ['--steps', '1.5', 'of at least 1'],
    ['--steps', '1e3', 'of at least 1'],
    ['--steps', '9007199254740993', 'of at least 1'],
    ['--batch', '0', 'from 1 to 1438'],
    ['--batch', '1439', 'from 1 to 1438'],
    ['--batch', 'many', 'from 1 to 1438'],
    ['--sample-steps', '0', 'from 1 to 1000'],
    ['--sample-steps', '1001', 'from 1 to 1000'],
    ['--checkpoint-every', '0', 'of at least 1'],
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
      { argv: ['--sample-only'], says: /'--sample-only' is given without '--resume \[checkpoint\]'/ },
      { argv: ['--out', ''], says: /'--out <dir>' argument '' is invalid\. Give the path of a directory/ },
      { argv: ['--resume', ' '], says: /'--resume \[checkpoint\]' argument ' ' is invalid/ },
      {
        argv: ['--sampler', 'sgd'],
        says: /'--sampler <name>' argument 'sgd' is invalid. Allowed choices are ddim, ddpm/,
      },
      { argv: ['--network', 'x'], says: /'--network <name>' argument 'x' is invalid. Allowed choices are unet, mlp/ },
      { argv: ['--guidance', '-1'], says: /'--guidance <w>' argument '-1' is invalid. Give a number from 0 to 100/ },
      { argv: ['--guidance', '1e1'], says: /'--guidance <w>' argument '1e1' is invalid/ },
      { argv: ['--guidance', '101'], says: /'--guidance <w>' argument '101' is invalid/ },
      { argv: ['--class', '10'], says: /'--class <digit>' argument '10' is invalid. Give an integer from 0 to 9/ },
      { argv: ['--judge', '1'], says: /'--judge <n>' argument '1' is invalid. Give an integer from 2 to 898, or 0/ },
      { argv: ['--judge', '899'], says: /'--judge <n>' argument '899' is invalid/ },
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
    for (const name of Object.keys(parseOptions([]))) {
      expect(text).toContain(`--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`);
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
    expect(stderr).toBe("error: option '--batch <n>' argument 'x' is invalid. Give an integer from 1 to 1438.\n");
  });
});

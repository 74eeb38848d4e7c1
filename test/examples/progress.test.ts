import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { formatDuration, progress } from '../../examples/digits/progress.js';

/** A stream that remembers what was written to it. */
const fake = (isTTY: boolean, columns?: number) => {
  const chunks: string[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk.toString());
      done();
    },
  });
  const stream = Object.assign(sink, { isTTY, columns }) as unknown as NodeJS.WriteStream;
  return { stream, text: () => chunks.join(''), lines: () => chunks.join('').split('\n').slice(0, -1) };
};

/** A clock on which each step takes `seconds`. */
const clock = (seconds: number) => {
  let time = 5000;
  return {
    now: () => time,
    tick: (steps = 1) => {
      time += steps * seconds * 1000;
    },
  };
};

describe('progress without a terminal', () => {
  it('writes a line every 5 % with all facts', () => {
    const { stream, lines, text } = fake(false);
    const { now, tick } = clock(0.1);
    const shown = progress(1000, 0, stream, now);
    for (let step = 1; step <= 1000; step++) {
      tick();
      shown.update(step, { loss: 1 / step, imagesPerSecond: 1280.4 });
    }
    shown.stop();
    expect(lines()).toHaveLength(20);
    expect(lines()[0]).toBe('step   50/1000  loss 0.02000  1280 images/s  1m 35s left');
    expect(lines()[1]).toBe('step  100/1000  loss 0.01000  1280 images/s  1m 30s left');
    expect(lines()[19]).toBe('step 1000/1000  loss 0.001000  1280 images/s  0s left');
    expect(text()).not.toContain('\u001b');
  });

  it('writes every step of a short run', () => {
    const { stream, lines } = fake(false);
    const shown = progress(3, 0, stream);
    for (const step of [1, 2, 3]) shown.update(step, { loss: 1, imagesPerSecond: 5 });
    shown.stop();
    expect(lines().map(line => line.slice(0, 8))).toEqual(['step 1/3', 'step 2/3', 'step 3/3']);
  });

  it('starts where a resumed run starts, and reckons the time from there', () => {
    const { stream, lines } = fake(false);
    const { now, tick } = clock(2);
    const shown = progress(1000, 900, stream, now);
    for (let step = 901; step <= 1000; step++) {
      tick();
      shown.update(step, { loss: 0.5, imagesPerSecond: 64 });
    }
    expect(lines()).toHaveLength(20);
    expect(lines()[0]).toBe('step  905/1000  loss 0.5000  64.0 images/s  3m 10s left');
  });

  it('writes the last line when the steps do not divide, and once only', () => {
    const { stream, lines } = fake(false);
    const shown = progress(109, 0, stream);
    for (let step = 1; step <= 109; step++) shown.update(step, { loss: 1, imagesPerSecond: 1 });
    shown.stop();
    shown.stop();
    expect(lines().at(-1)).toMatch(/^step 109\/109 /);
    expect(new Set(lines()).size).toBe(lines().length);
    expect(lines().length).toBeLessThanOrEqual(22);
  });

  it('tells the last step of a run that ends early', () => {
    const { stream, lines } = fake(false);
    const shown = progress(1000, 0, stream);
    for (let step = 1; step <= 57; step++) shown.update(step, { loss: Number.NaN, imagesPerSecond: 1 });
    shown.stop();
    expect(lines()).toHaveLength(2);
    expect(lines()[1]).toMatch(/^step {3}57\/1000 {2}loss NaN/);
  });

  it('writes nothing for nothing to do', () => {
    const { stream, text } = fake(false);
    progress(10, 10, stream).stop();
    expect(text()).toBe('');
  });
});

describe('progress on a terminal', () => {
  it('draws a bar with all facts and ends with a new line', () => {
    const { stream, text } = fake(true, 100);
    const { now, tick } = clock(1);
    const shown = progress(200, 100, stream, now);
    expect(text()).toContain('100/200');
    tick(10);
    shown.update(110, { loss: 0.25, imagesPerSecond: 128 });
    shown.stop();
    expect(text()).toContain('110/200  loss 0.2500  128 images/s  1m 30s left');
    expect(text()).toContain('█');
    expect(text().endsWith('\n')).toBe(true);
    expect(text()).not.toMatch(/\{\w+\}/);
  });

  it('does not hide the cursor or change how lines wrap', () => {
    const { stream, text } = fake(true, 40);
    const shown = progress(10, 0, stream);
    shown.update(1, { loss: 1, imagesPerSecond: 1 });
    shown.stop();
    expect(text()).not.toContain('\u001b[?');
  });
});

describe('progress', () => {
  it('refuses steps that make no sense', () => {
    const { stream } = fake(false);
    expect(() => progress(10, 11, stream)).toThrow(/progress: got total 10 and start 11/);
    expect(() => progress(10, -1, stream)).toThrow(/0 <= start <= total/);
    expect(() => progress(1.5, 0, stream)).toThrow(/give integers/);
  });
});

describe('formatDuration', () => {
  it('is short and keeps two parts', () => {
    expect([0, 0.4, 59.4, 59.6, 65, 3599.7, 7380, Number.NaN, Number.POSITIVE_INFINITY].map(formatDuration)).toEqual([
      '0s',
      '0s',
      '59s',
      '1m 00s',
      '1m 05s',
      '1h 00m',
      '2h 03m',
      '?',
      '?',
    ]);
  });
});

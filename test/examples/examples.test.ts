/** The examples, in a short form: what each of them is there to show. */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { decode } from 'fast-png';
import { broadcastTo, cast, mul, stack, tensor, vjp, vmap } from 'tenfold';
import { writePng } from 'tenfold/io';
import { key, randint } from 'tenfold/random';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main as classifierGuidance } from '../../examples/classifier-guidance.js';
import { main as customPrimitive, dither, lambertW, squaredDistances } from '../../examples/custom-primitive.js';
import { main as inpainting } from '../../examples/inpainting.js';
import { main as inversion } from '../../examples/inversion.js';
import { main as neuralOde } from '../../examples/neural-ode.js';
import { main as samplerFromScratch } from '../../examples/sampler-from-scratch.js';
import { main as tokens } from '../../examples/tokens.js';
import { main as trainOnPngs } from '../../examples/train-on-pngs.js';

const examples = resolve(import.meta.dirname, '../../examples');
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenfold-examples-'));
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** A picture that was written: its size, and that it is not of one colour. */
const pictureAt = async (path: string) => {
  const { width, height, channels, data } = decode(await readFile(path));
  return { width, height, channels, levels: new Set(data).size };
};

describe('examples', () => {
  it('sampler-from-scratch: of second order, as the method of the library, and samples of the data', async () => {
    const { rows, toReal, amongReal } = await samplerFromScratch({ samples: 500, steps: [16, 32, 64] });
    for (const { scratch, lms } of rows) expect(Math.abs(scratch / lms - 1)).toBeLessThan(1e-3);
    const [coarse, , fine] = rows;
    // Four times as many steps: a quarter of the error at first order, a sixteenth at second.
    expect(coarse!.ddim / fine!.ddim).toBeLessThan(6);
    expect(coarse!.scratch / fine!.scratch).toBeGreaterThan(8);
    expect(toReal).toBeLessThan(2 * amongReal);
  });

  it('classifier-guidance: samples come from the class that was asked for', async () => {
    const { rows } = await classifierGuidance({ samples: 300, trainingSteps: 400, scales: [0, 1, 4] });
    const shares = rows.map(row => row['in the class that was asked for']);
    expect(Math.abs(shares[0]! - 1 / 8)).toBeLessThan(0.06);
    expect(shares[1]).toBeGreaterThan(0.9);
    expect(shares[2]).toBeGreaterThan(0.98);
  });

  it('inpainting: what is known stays, the rest fits; image-to-image leaves the more, the fewer steps it takes', async () => {
    const out = join(folder, 'inpainting');
    const { repairs, changes } = await inpainting({ count: 32, steps: 15, strengths: [0.2, 0.5, 0.8], out });
    const [unaware, once, often] = repairs;
    expect(unaware!['from what is known']).toBeGreaterThan(0.4);
    expect([once, often].map(row => row!['from what is known'])).toEqual([0, 0]);
    expect(once!['from what was hidden']).toBeLessThan(0.95 * unaware!['from what was hidden']);
    expect(often!['from the nearest digit']).toBeLessThan(0.97 * once!['from the nearest digit']);
    const distances = changes.map(row => row['from the image']);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
    expect(await pictureAt(join(out, 'inpainting.png'))).toMatchObject({ width: 32 * 54, height: 5 * 54, channels: 1 });
    expect((await pictureAt(join(out, 'image-to-image.png'))).levels).toBeGreaterThan(50);
  });

  it('inversion: codes give their images back, and digits between them', async () => {
    const out = join(folder, 'inversion');
    const { errors, middles } = await inversion({ pairs: 4, steps: [10, 40], frames: 5, out });
    expect(errors[1]!.ddim).toBeLessThan(errors[0]!.ddim / 3);
    expect(errors[1]!.heun).toBeLessThan(errors[0]!.heun / 12);
    expect(errors[1]!.heun).toBeLessThan(1e-3);
    const [codes, pixels] = middles.map(row => row['from the middle to the nearest digit']);
    expect(codes).toBeLessThan(0.6 * pixels!);
    expect(await pictureAt(join(out, 'interpolation.png'))).toMatchObject({ width: 10 * 54, height: 4 * 54 });
  });

  it('neural-ode: the network follows the spiral; segments save memory and change no bit', async () => {
    const { fits, memory } = await neuralOde({ trainingSteps: 800, paths: 40, length: 500 });
    for (const { untrained, trained } of fits) expect(trained).toBeLessThan(untrained / 20);
    expect(memory.map(row => row['same bits'])).toEqual(['true', 'true', 'true']);
    expect(memory[1]!.MiB).toBeLessThan(0.5 * memory[0]!.MiB);
  });

  it('custom-primitive: right values, its own derivatives, fewer operations by the rules', async () => {
    const { error, atZero, slopes, apart, batches, shown, steps } = await customPrimitive({ size: 2 ** 14 });
    expect(error).toBeLessThan(1e-6);
    expect(atZero).toEqual([0, 1, -2]);
    expect(lambertW(tensor([0, Math.E, 1])).toArray()).toEqual([0, 1, expect.closeTo(0.5671433, 6)]);
    const [whole, byRule, through] = slopes;
    expect([whole!.kernels, byRule!.kernels]).toEqual([1, 1]);
    expect(byRule!.Mflop).toBeLessThan(through!.Mflop / 2);
    expect(apart).toBeLessThan(1e-4);
    expect(batches[0]!.Mflop).toBeLessThan(batches[1]!.Mflop);
    const [others, point] = [
      tensor([
        [1, 2],
        [3, 5],
      ]),
      tensor([0, 1]),
    ];
    expect(squaredDistances(others, point).toArray()).toEqual([2, 25]);
    const each = [stack([others, mul(others, 2)]), stack([point, point])] as const;
    expect(vmap(squaredDistances)(...each).toArray()).toEqual([
      [2, 25],
      [13, 117],
    ]);
    const [rounded, dithered, printed, prepared] = shown.map(({ off }) => off);
    expect(dithered!).toBeLessThan(rounded! / 10);
    expect(prepared!).toBeLessThan(printed! / 4);
    expect(steps[0]).toBe('floydSteinberg');
    // By hand: 0.4 is black and leaves 7/16 of it to its right, where 0.575 is white.
    expect(dither(tensor([[0.4, 0.4]])).toArray()).toEqual([[0, 1]]);
    expect(vjp(dither, tensor([[0.4, 0.4]]))[1](tensor([[3, 3]]))[0].toArray()).toEqual([[3, 3]]);
  });

  it('tokens: sentences are right, also those never seen, and gaps are filled with what was around them', async () => {
    const { share, shareNew, gaps, filled } = await tokens({ trainingSteps: 600, samples: 100 });
    // Of words drawn blindly one sentence in thousands is right.
    expect(share).toBeGreaterThan(0.7);
    expect(shareNew).toBeGreaterThan(0.1);
    gaps.forEach((gap, i) => {
      expect(filled[i]).toMatch(new RegExp(`^${gap.replaceAll('_', '[a-z]+')}$`));
    });
  });

  it('train-on-pngs: learns from a folder, and a training that was cut in two is the same', async () => {
    const images = join(folder, 'pngs');
    await mkdir(images);
    for (let i = 0; i < 24; i++) {
      const rows = mul(randint(key(i), [8, 1, 1], 0, 2), tensor([255, 0, 0], { dtype: 'int32' }));
      const written = await writePng(join(images, `${i}.png`), cast(broadcastTo(rows, [8, 8, 3]), 'uint8'))();
      expect(written._tag).toBe('Right');
    }
    const short = { images, batchSize: 8, samples: 5, samplingSteps: 4 };
    const [whole, parts] = [join(folder, 'whole'), join(folder, 'parts')];
    const { losses, drawn, step } = await trainOnPngs({ ...short, steps: 16, out: whole });
    expect(step).toBe(16);
    const average = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
    expect(average(losses.slice(-4))).toBeLessThan(0.7 * average(losses.slice(0, 4)));
    await trainOnPngs({ ...short, steps: 6, out: parts });
    const resumed = await trainOnPngs({ ...short, steps: 16, out: parts });
    expect(resumed.losses).toEqual(losses.slice(6));
    expect(resumed.drawn.toArray()).toEqual(drawn.toArray());
    const picture = join(whole, 'samples.png');
    expect(await pictureAt(picture)).toMatchObject({ width: 3 * 36, height: 2 * 36, channels: 3 });
    expect((await readFile(picture)).equals(await readFile(join(parts, 'samples.png')))).toBe(true);
  }, 180_000);

  it('are all in the table of README.md', async () => {
    const names = (await readdir(examples)).filter(name => name.endsWith('.ts'));
    const table = await readFile(join(examples, 'README.md'), 'utf8');
    for (const name of names) expect(table).toContain(`[${name}](${name})`);
  });
});

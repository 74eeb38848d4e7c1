import { add, mul, type Tensor } from 'tenfold';
import { key, normal } from 'tenfold/random';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Classifier, trainClassifier } from '../../examples/digits/classifier.js';
import { type Digits, pick, readDigits } from '../../examples/digits/data.js';
import { factsOf, judge } from '../../examples/digits/judge.js';

describe('the judge of drawn digits', () => {
  let digits: Digits;
  let classifier: Classifier;
  beforeAll(async () => {
    digits = await readDigits();
    classifier = await trainClassifier(key(0), digits.learned, 400);
  }, 180_000);
  const odd = (count: number) =>
    pick(
      digits.all,
      Array.from({ length: count }, (_, i) => 2 * i + 601),
    );

  it('every fifth digit is held out', () => {
    expect(digits.learned.images.shape).toEqual([1438, 1, 8, 8]);
    expect(digits.heldOut.images.shape).toEqual([359, 1, 8, 8]);
    expect([...digits.heldOut.labels.dataSync()].slice(0, 3)).toEqual([4, 9, 4]);
  });

  it('its classifier reads at least 97 % of the digits that it has not seen', async () => {
    const right = await classifier.right(digits.heldOut);
    expect(right).toBeGreaterThanOrEqual(0.97 * 359);
    expect(classifier.features(digits.heldOut.images).shape).toEqual([359, 64]);
  });

  it('real digits pass, not farther from others than these are from each other', async () => {
    const { real, drawn, frechet } = await judge(classifier, digits, odd(300), true);
    expect(real.of).toBe(359);
    expect(drawn.right).toBeGreaterThanOrEqual(0.97 * drawn.of);
    expect(frechet!.of).toBe(300);
    expect(frechet!.real).toBeGreaterThan(0.1);
    expect(frechet!.drawn / frechet!.real).toBeGreaterThan(0.5);
    expect(frechet!.drawn / frechet!.real).toBeLessThan(2);
  });

  it('noise does not pass, and is far away; labels in disorder are seen', async () => {
    const { images, labels } = odd(300);
    const noise = normal(key(1), images.shape) as Tensor;
    const judged = await judge(classifier, digits, { images: noise, labels }, true);
    expect(judged.drawn.right).toBeLessThan(120);
    expect(judged.frechet!.drawn).toBeGreaterThan(5 * judged.frechet!.real);
    const others = add(mul(labels, -1), 9) as Tensor;
    expect((await judge(classifier, digits, { images, labels: others }, true)).drawn.right).toBeLessThan(30);
  });

  it('one digit alone is not compared with all', async () => {
    const { frechet } = await judge(classifier, digits, odd(20), false);
    expect(frechet).toBe(null);
  });

  it('says it in words, with the numbers of images', () => {
    const judgement = {
      real: { right: 358, of: 359 },
      drawn: { right: 899, of: 900 },
      frechet: { real: 2, drawn: 3, of: 898 },
    };
    expect(factsOf(judgement)).toEqual([
      ['classifier right on held-out real digits', '99.7 % of 359'],
      ['drawn digits recognised as the digit asked for', '99.9 % of 900'],
      ['Fréchet distance, real to real', '2.00 (898 and 898 images)'],
      ['Fréchet distance, drawn to real', '3.00 (898 and 898 images), 1.50 times as much'],
    ]);
    expect(factsOf({ ...judgement, frechet: null })).toHaveLength(2);
  });
});

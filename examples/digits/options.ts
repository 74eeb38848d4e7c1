/**
 * The command line of the job, as a value. What a run can be told, the limits, and the defaults stand here and nowhere
 * else.
 */

import { Command, InvalidArgumentError, Option } from 'commander';
import type { DeviceName } from 'tenfold';

export interface Options {
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  readonly out: string;
  readonly device: DeviceName;
  readonly resume: string | undefined;
  readonly sampleOnly: boolean;
}

export const defaults = Object.freeze({
  steps: 3000,
  batch: 128,
  seed: 0,
  out: 'out/digits',
  device: 'cpu' as DeviceName,
});

/** How many images the data set holds: a batch draws without repeating itself, so that it cannot be larger. */
const imageCount = 1797;
const largestSeed = 2 ** 32 - 1;

/** commander puts the option and the value before the message. */
const integer =
  (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Give an integer ${range}.`);
  };

const path =
  (what: string) =>
  (text: string): string => {
    if (text.trim() !== '') return text;
    throw new InvalidArgumentError(`Give the path of a ${what}.`);
  };

/**
 * Read the arguments that follow the script's name. A bad option ends the process with code 1 and one line on the
 * standard error; `--help` ends it with code 0.
 */
export const parseOptions = (argv: readonly string[]): Options => {
  const command = new Command('npm start --')
    .description('Train a diffusion model on 8x8 digits and write the pictures it draws.')
    .option('--steps <n>', 'training steps in all, those of a resumed run included', integer(1), defaults.steps)
    .option('--batch <n>', `images in a training step, 1 to ${imageCount}`, integer(1, imageCount), defaults.batch)
    .option('--seed <n>', 'where all randomness comes from', integer(0, largestSeed), defaults.seed)
    .option('--out <dir>', 'directory for everything the run writes', path('directory'), defaults.out)
    .addOption(new Option('--device <name>', 'where to compute').choices(['cpu', 'gpu']).default(defaults.device))
    .option('--resume <checkpoint>', 'go on from this checkpoint', path('checkpoint'))
    .option('--sample-only', 'draw samples from the checkpoint given by --resume, without training', false)
    .allowExcessArguments()
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replace(/\s*\n\s*/g, ' ')}\n`) })
    .parse([...argv], { from: 'user' });
  const [stray] = command.args;
  if (stray !== undefined) {
    // `npm start --steps 5` gets here: npm takes the option for its own and passes on the 5.
    command.error(
      `error: argument '${stray}' belongs to no option. Options go behind a '--', as in: npm start -- --steps 500`,
    );
  }
  const { steps, batch, seed, out, device, resume, sampleOnly } = command.opts<
    Omit<Options, 'resume'> & { readonly resume?: string }
  >();
  if (sampleOnly && resume === undefined) {
    command.error(
      "error: option '--sample-only' is given without '--resume <checkpoint>'. Name the checkpoint to sample from.",
    );
  }
  return Object.freeze({ steps, batch, seed, out, device, resume, sampleOnly });
};

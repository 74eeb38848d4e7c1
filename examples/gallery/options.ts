/** The command line of the gallery, as a value. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { dataSets } from './data-sets.js';

export interface Options {
  readonly steps: number;
  readonly points: number;
  readonly seed: number;
  readonly out: string;
  readonly only: string | undefined;
}

const defaults = Object.freeze({ steps: 4000, points: 8192, seed: 0, out: 'out/gallery' });

const integer =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give an integer from ${least} to ${most}.`);
  };

const folder = (text: string): string => {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Give the path of a directory.');
};

/**
 * Read the arguments that follow the script's name. A bad option ends the process with code 1 and one line on the
 * standard error; `--help` ends it with code 0.
 */
export const parseOptions = (argv: readonly string[]): Options => {
  const names = dataSets.map(({ name }) => name);
  const command = new Command('npm run gallery --')
    .description('Train small diffusion models on distributions in the plane, and show what six samplers make of them.')
    .option('--steps <n>', 'training steps for each data set', integer(1, 1e6), defaults.steps)
    .option('--points <n>', 'samples that each sampler draws', integer(32, 2 ** 20), defaults.points)
    .option('--seed <n>', 'where all randomness comes from', integer(0, 2 ** 32 - 1), defaults.seed)
    .option('--out <dir>', 'directory for the page', folder, defaults.out)
    .addOption(new Option('--only <name>', 'one data set in place of all').choices(names))
    .allowExcessArguments()
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replace(/\s*\n\s*/g, ' ')}\n`) })
    .parse([...argv], { from: 'user' });
  const [stray] = command.args;
  if (stray !== undefined) {
    // `npm run gallery --steps 5` gets here: npm takes the option for its own and passes on the 5.
    command.error(
      `error: argument '${stray}' belongs to no option. Options go behind a '--', as in: npm run gallery -- --steps 500`,
    );
  }
  const { steps, points, seed, out, only } = command.opts<Omit<Options, 'only'> & { readonly only?: string }>();
  return Object.freeze({ steps, points, seed, out, only });
};

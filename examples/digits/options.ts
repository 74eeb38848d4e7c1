/**
 * The command line of the job, as a value. What a run can be told, the limits, and the defaults stand here and nowhere
 * else.
 */

import { Command, InvalidArgumentError, Option } from 'commander';
import type { DeviceName } from 'tenfold';

export const samplerNames = Object.freeze([
  'ddim',
  'ddpm',
  'dpm++',
  'dpm++sde',
  'unipc',
  'deis',
  'pndm',
  'euler',
  'euler-ancestral',
  'heun',
  'dpm2',
  'lms',
  'edm',
] as const);

export type SamplerName = (typeof samplerNames)[number];

export const networkNames = Object.freeze(['unet', 'mlp'] as const);

export type NetworkName = (typeof networkNames)[number];

export interface Options {
  readonly network: NetworkName;
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  readonly sampler: SamplerName;
  readonly sampleSteps: number;
  /** w of classifier-free guidance; 1 is none. */
  readonly guidance: number;
  /** The only digit to draw; undefined for all. */
  readonly class: number | undefined;
  /** How many drawn digits are judged. */
  readonly judge: number;
  readonly out: string;
  readonly device: DeviceName;
  /** A checkpoint; true for that in `out`, if there is one. */
  readonly resume: string | true | undefined;
  readonly sampleOnly: boolean;
  /** After how many steps the checkpoint is written each time. */
  readonly checkpointEvery: number;
}

/** What has no default, or one that depends on others. */
type Optional = 'resume' | 'class' | 'judge';

export const defaults = Object.freeze({
  network: 'unet' as NetworkName,
  steps: 2400,
  batch: 64,
  seed: 0,
  sampler: 'ddim' as SamplerName,
  sampleSteps: 20,
  guidance: 1.25,
  out: 'out/digits',
  device: 'cpu' as DeviceName,
  checkpointEvery: 100,
});

/** How many images there are to learn from: a batch draws without repeating itself, so that it cannot be larger. */
const imageCount = 1438;
/** The process has no more timesteps. */
const mostSampleSteps = 1000;
/** Real digits are compared in halves. */
const mostJudged = 898;
/** Of a short run, which has little to judge, only as many as are in the picture. */
const quick = { steps: 500, judged: 100 };
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

const weight = (text: string): number => {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text) && Number(text) <= 100) return Number(text);
  throw new InvalidArgumentError('Give a number from 0 to 100; 1 is no guidance.');
};

const judged = (text: string): number => {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (value === 0 || (value >= 2 && value <= mostJudged)) return value;
  throw new InvalidArgumentError(`Give an integer from 2 to ${mostJudged}, or 0 for none.`);
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
    .addOption(
      new Option('--network <name>', 'what learns: a U-Net, or a small perceptron, which is quick and draws badly')
        .choices(networkNames)
        .default(defaults.network),
    )
    .option('--steps <n>', 'training steps in all, those of a resumed run included', integer(1), defaults.steps)
    .option('--batch <n>', `images in a training step, 1 to ${imageCount}`, integer(1, imageCount), defaults.batch)
    .option('--seed <n>', 'where all randomness comes from', integer(0, largestSeed), defaults.seed)
    .addOption(new Option('--sampler <name>', 'how to draw').choices(samplerNames).default(defaults.sampler))
    .option('--sample-steps <n>', 'steps of drawing', integer(1, mostSampleSteps), defaults.sampleSteps)
    .option('--guidance <w>', 'weight of classifier-free guidance; 1 is none', weight, defaults.guidance)
    .option('--class <digit>', 'draw this digit only', integer(0, 9))
    .option(
      '--judge <n>',
      `how many drawn digits a classifier judges, at most ${mostJudged}; 0 for none ` +
        `(default: ${mostJudged}, or ${quick.judged} with fewer than ${quick.steps} training steps)`,
      judged,
    )
    .option('--out <dir>', 'directory for everything the run writes', path('directory'), defaults.out)
    .addOption(new Option('--device <name>', 'where to compute').choices(['cpu', 'gpu']).default(defaults.device))
    .option(
      '--resume [checkpoint]',
      'go on from this checkpoint; without a path, from the one in --out if there is one',
      path('checkpoint'),
    )
    .option('--sample-only', 'draw samples from the checkpoint given by --resume, without training', false)
    .option(
      '--checkpoint-every <n>',
      'training steps from one checkpoint to the next',
      integer(1),
      defaults.checkpointEvery,
    )
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
  const given = command.opts<Omit<Options, Optional> & Partial<Pick<Options, Optional>>>();
  if (given.sampleOnly && given.resume === undefined) {
    command.error(
      "error: option '--sample-only' is given without '--resume [checkpoint]'. Name the checkpoint to sample from.",
    );
  }
  const judge = given.judge ?? (given.steps < quick.steps ? quick.judged : mostJudged);
  return Object.freeze({ ...given, class: given.class, resume: given.resume, judge });
};

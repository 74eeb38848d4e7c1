/** The table of all operations with their names in NumPy and PyTorch, from the docstrings. */
import { type Docstring, docstringsIn, functionsOf, type PublicFunction } from './docstrings.js';

/** Where the table is kept, and what writes it there. */
export const tableFile = 'docs/operations.md';
export const command = 'npm run docs';

const folder = 'src/tensor/ops/';

/** An operation, and what is said of it. */
export interface Operation {
  readonly name: string;
  readonly file: string;
  readonly summary: string;
  /** The names of the same thing elsewhere; undefined where the docstring has none. */
  readonly numpy: string | undefined;
  readonly pytorch: string | undefined;
}

/** Links as code, and one line. */
const plain = (text: string): string => text.replace(/\{@link ([^}]+)\}/g, '`$1`').replace(/\s+/g, ' ');

/** A stop that a sentence may follow, and that is not part of an abbreviation. */
const stop = /\.(?= [A-Z0-9−`(])(?<!\b(?:e\.g|i\.e|cf|al|vs|eqs?|figs?|sec|pp?|no|ch)\.)/i;

/** The first sentence without its stop, within the first paragraph. */
const summaryOf = ({ text }: Docstring): string =>
  plain(text.split(/\n\s*\n/)[0]!)
    .split(stop)[0]!
    .replace(/\.$/, '');

const positionOf = (docstrings: readonly Docstring[], { origin }: PublicFunction): number =>
  docstrings.findIndex(({ name, tags }) => name === origin.name && tags.some(({ tag }) => tag === 'example'));

/** The public operations by family: a file of `src/tensor/ops`, in the order of the file. */
export const families = async (): Promise<
  readonly { readonly file: string; readonly summary: string; readonly operations: readonly Operation[] }[]
> => {
  const functions = (await functionsOf('tenfold')).filter(({ origin }) => origin.file.startsWith(folder));
  return [...new Set(functions.map(({ origin }) => origin.file))].sort().map(file => {
    const docstrings = docstringsIn(file);
    const operations = functions
      .filter(({ origin }) => origin.file === file)
      .map(f => ({ name: f.name, at: positionOf(docstrings, f) }))
      .sort((f, g) => f.at - g.at)
      .map(({ name, at }): Operation => {
        const docstring = docstrings[at];
        const tagged = (wanted: string): string | undefined =>
          docstring?.tags.find(({ tag, text }) => tag === wanted && text !== '')?.text;
        const summary = docstring === undefined ? '' : summaryOf(docstring);
        return { name, file, summary, numpy: tagged('numpy'), pytorch: tagged('pytorch') };
      });
    return { file, summary: summaryOf(docstrings[0]!), operations };
  });
};

const row = (...cells: readonly string[]): string =>
  `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;

const elsewhere = (name = '—'): string => {
  const text = plain(name);
  return text === '—' || text.includes('`') ? text : `\`${text}\``;
};

/** What belongs into {@link tableFile}. */
export const operationsTable = async (): Promise<string> => {
  const rows = (await families()).flatMap(({ file, summary, operations }) => [
    row(`**[${file.slice(folder.length, -'.ts'.length)}](../${file})**`, `**${summary}**`, '', ''),
    ...operations.map(({ name, summary, numpy, pytorch }) =>
      row(`\`${name}\``, summary, elsewhere(numpy), elsewhere(pytorch)),
    ),
  ]);
  return `# Operations

All operations of \`tenfold\` by family, with what NumPy (or SciPy, JAX, Flax) and PyTorch have for them; a dash says that
there is nothing of the kind. \`${command}\` makes this file from the docstrings.

${[row('Operation', 'What it does', 'NumPy', 'PyTorch'), row('---', '---', '---', '---'), ...rows].join('\n')}
`;
};

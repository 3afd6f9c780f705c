// Makes a page of the release notes: the Markdown that they are written in, and no more of it.

import { artifacts, files, plugin } from 'windlass-plugin';

type Block =
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'paragraph'; text: string };

export default plugin({
  documentation: 'Makes a page of the release notes.',
  with: {
    properties: {
      artifact: { type: 'string', description: 'The artifact with the notes, in Markdown.' },
      into: { type: 'string', description: 'The file for the page.' },
      minutes: { type: 'integer', description: 'How long it takes to read them.' },
    },
    required: ['artifact', 'into', 'minutes'],
  },
  uses: { artifacts: 'to read the notes' },
  outputs: { page: { type: 'string', documentation: "The page's file." } },

  run({ artifact, into, minutes }, context) {
    const blocks = parse(new TextDecoder().decode(artifacts.get(artifact)));
    const title = blocks.find((block) => block.kind === 'heading')?.text ?? 'Release';
    const html = [
      '<!doctype html>',
      `<meta charset="utf-8"><title>${escape(title)}</title>`,
      ...blocks.map(render),
      `<footer>${minutes} min to read</footer>`,
    ].join('\n');
    files.writeFile(into, `${html}\n`);
    console.log(`${into}: ${blocks.length} blocks, ${html.length} characters`);
    context.summarize(`${title}, as ${into}`);
    return { page: into };
  },
});

/** Blocks have an empty line between them. */
function parse(markdown: string): Block[] {
  const blocks = markdown.split(/\n{2,}/).map((block) => block.trim());
  return blocks.filter((block) => block !== '').map((block): Block => {
    const heading = /^(#+) (.*)$/.exec(block);
    if (heading) return { kind: 'heading', level: heading[1]!.length, text: heading[2]! };
    if (block.startsWith('- ')) return { kind: 'list', items: block.slice(2).split('\n- ').map(unfold) };
    return { kind: 'paragraph', text: unfold(block) };
  });
}

/** Text that was broken into lines, as one line. */
function unfold(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

function render(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${inline(block.text)}</h${block.level}>`;
    case 'list':
      return `<ul>\n${block.items.map((item) => `  <li>${inline(item)}</li>`).join('\n')}\n</ul>`;
    case 'paragraph':
      return `<p>${inline(block.text)}</p>`;
  }
}

/** Code and emphasis within a text. */
function inline(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>').replace(/\*([^*]+)\*/g, '<em>$1</em>');
}

function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}

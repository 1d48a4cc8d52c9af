/** The code in Markdown. */

/** Every block of JavaScript, in its order. */
export function jsSnippets(markdown: string): string[] {
  return [...markdown.matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code ?? '');
}

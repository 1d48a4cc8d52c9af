/** The code in Markdown. */

/** Every block of JavaScript, or of another language, in its order. */
export function snippets(markdown: string, language = 'js'): string[] {
  const blocks = markdown.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'));
  return [...blocks].map(([, code]) => code ?? '');
}

/** HTML that is safe to write as it is: what `html` made. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Text that may break after commas, as the descriptions of paths need it where there is little room. */
export function breakable(text: string): Markup {
  return new Markup(escapeHtml(text).replaceAll(',', ',<wbr>'));
}

type Part = string | number | Markup | null | readonly Part[];

/**
 * HTML from a template: whatever is put in is escaped, unless it is Markup itself. Lists are joined, null is nothing.
 * Attribute values in the template must be in double quotes.
 */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let text = literals[0]!;
  for (const [i, part] of parts.entries()) text += render(part) + literals[i + 1]!;
  return new Markup(text);
}

function render(part: Part): string {
  if (part === null) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return escapeHtml(String(part));
}

/** Text with the characters that change its direction shown by number: a file's name must not look like another. */
export function visible(text: string): string {
  return text.replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/gu, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as it may stand between tags and in quoted attributes; visible. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/gu, (c) => ENTITIES[c]!);
}

/**
 * JSON as it may stand in a script element: nothing in it can end the element or begin a comment, whatever the strings say
 * (HTML Living Standard, "Restrictions for contents of script elements").
 */
export function escapeJson(value: unknown): Markup {
  return new Markup(
    JSON.stringify(value).replace(
      /[<>&\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f]/gu,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
}

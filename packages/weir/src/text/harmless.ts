/** The longest line that is shown of anything, in characters. */
const LONGEST_LINE = 4000;

/** The longest message that is made of somebody else's words. */
const LONGEST_MESSAGE = 1000;

/**
 * Text from elsewhere as one line that cannot do anything to a terminal, a log or a page: control characters (escape sequences,
 * line ends), characters that turn the direction of text, and such as are not seen become spaces, but for the joiners that some
 * languages write with; what is very long is cut.
 */
export function harmless(text: string, longest = LONGEST_LINE): string {
  const line = text.replace(/(?:(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}])+/gu, ' ');
  return line.length <= longest ? line : `${line.slice(0, longest)}…`;
}

/** The same of somebody's message. */
export function oneLine(text: string): string {
  return harmless(text.trim(), LONGEST_MESSAGE).trim();
}

/** JSON as it was, but with those characters by number, as JSON allows: what is read from it is the same. */
export function harmlessJson(json: string): string {
  // Of the control characters, JSON itself leaves the line ends and DEL to the end of the second block.
  return json.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  const units = character.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return units.map((unit) => `\\u${unit}`).join('');
}

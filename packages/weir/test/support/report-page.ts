/** The contents of an element with an id in a page that `reportHtml` made: what the browser takes them to be. */
export function embedded(page: string, id: string): unknown {
  const start = page.indexOf(`<script type="application/json" id="${id}">`);
  if (start < 0) return undefined;
  const from = page.indexOf('>', start) + 1;
  // A script element ends at the first of these, whatever is around it.
  return JSON.parse(page.slice(from, page.toLowerCase().indexOf('</script', from)));
}

/** What a browser would run: the scripts that are no data. */
export function scriptsOf(page: string): string[] {
  return [...page.matchAll(/<script(?<attributes>[^>]*)>(?<body>[\s\S]*?)<\/script/giu)]
    .filter((match) => !match.groups!.attributes!.includes('application/json'))
    .map((match) => match.groups!.body!);
}

/** The text between tags, entities resolved: what a reader sees of a part of a page. */
export function textOf(markup: string): string {
  return markup
    .replace(/<(script|style)[\s\S]*?<\/\1>/giu, '')
    .replace(/<[^>]*>/gu, ' ')
    .replace(/&lt;/gu, '<')
    .replace(/&gt;/gu, '>')
    .replace(/&quot;/gu, '"')
    .replace(/&#39;/gu, "'")
    .replace(/&amp;/gu, '&')
    .replace(/\s+/gu, ' ');
}

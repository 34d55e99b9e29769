/** Makes every button with `data-download` save the element that it names as a file. */
export function offerDownloads(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-download]')) {
    button.addEventListener('click', () => {
      const { download, file, type } = button.dataset;
      save(contentOf(download ?? ''), file ?? 'data', type ?? 'application/octet-stream');
    });
  }
}

/** An experiment goes back into the lines that it came from, which weir reads again; everything else as it is embedded. */
function contentOf(id: string): string {
  const text = document.getElementById(id)?.textContent ?? '';
  if (!id.startsWith('data-')) return JSON.parse(text) as string;
  const value = JSON.parse(text) as { header?: unknown; iterations: readonly unknown[] };
  if (value.header === undefined) return `${JSON.stringify(value, null, 2)}\n`;
  return [value.header, ...value.iterations].map((line) => `${JSON.stringify(line)}\n`).join('');
}

function save(content: string, name: string, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // The browser has read it by then; the page may stay open for days.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

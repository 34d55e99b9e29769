/** As much of playwright-core as the browser test uses: its own types are in a package that the project itself does not install. */
export interface Chromium {
  launch(options: { executablePath: string; headless: boolean; args: readonly string[] }): Promise<Browser>;
}

export interface Browser {
  newContext(options: {
    viewport: { width: number; height: number };
    colorScheme: 'light' | 'dark';
    acceptDownloads: boolean;
  }): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>;
  close(): Promise<void>;
}

export interface Page {
  goto(url: string): Promise<unknown>;
  route(pattern: string, handle: (route: Route) => Promise<void>): Promise<void>;
  waitForSelector(selector: string): Promise<unknown>;
  waitForEvent(event: 'download'): Promise<Download>;
  screenshot(options: { path: string; fullPage: boolean }): Promise<unknown>;
  /** The expression is of the page: here it is only text. */
  evaluate<T>(expression: string): Promise<T>;
  emulateMedia(options: { media?: 'print' | 'screen'; colorScheme?: 'light' | 'dark' }): Promise<void>;
  selectOption(selector: string, value: string): Promise<unknown>;
  focus(selector: string): Promise<void>;
  click(selector: string): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void> };
  on(event: 'console', handle: (message: { type(): string; text(): string }) => void): void;
  on(event: 'pageerror', handle: (error: Error) => void): void;
  on(event: 'dialog', handle: (dialog: { dismiss(): Promise<void> }) => void): void;
  on(event: 'request', handle: (request: { url(): string }) => void): void;
}

export interface Route {
  request(): { url(): string };
  continue(): Promise<void>;
  abort(): Promise<void>;
}

export interface Download {
  suggestedFilename(): string;
  path(): Promise<string>;
}

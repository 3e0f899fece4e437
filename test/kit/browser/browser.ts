import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';

import { skipWithout } from '../require.ts';

/** Debian's browser; playwright-core brings none of its own and downloads none. */
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

/** For the options of a test: why it is skipped, false when there is a browser. */
export const skipWithoutBrowser = skipWithout('chromium', executablePath !== undefined);

/** How a page is opened. */
export interface PageWish {
  /** Where the application is, e.g. http://127.0.0.1:8083; whatever asks anybody else fails the test. */
  readonly origin: string;
  readonly path: string;
  /** What the reader's system prefers. Default: light. */
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
  /** The test asks for what is refused: the browser's own line about it is no fault of the page. */
  readonly isRefused?: boolean;
}

/** What a browser is shown. */
export interface BrowserWish {
  /** Control planes without analytics: 503 where figures are asked for is no fault of a page. Default: false. */
  readonly hasNoAnalytics?: boolean;
}

/** A browser of a test. */
export interface TestBrowser {
  /**
   * Opens a page in a context of its own (no cookies of others), loaded and quiet.
   *
   * When the test ends, it fails for whatever a reader of the console would see: errors, exceptions, what the page's own policy refused,
   * and requests to other origins, of which none leaves.
   */
  open(wish: PageWish): Promise<Page>;
}

/** Longer than a browser's usual half minute: several share two cores with the platforms that they look at. */
const stepMsMax = 60_000;
const ordinary = { width: 1_280, height: 900 };
const refusal = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** Starts one without a window; it ends with the test. As root it has no sandbox: it is shown our own pages only. */
export async function startBrowser(
  t: Pick<TestContext, 'after'>,
  { hasNoAnalytics = false }: BrowserWish = {},
): Promise<TestBrowser> {
  assert.ok(executablePath !== undefined, 'skipWithoutBrowser says whether there is one');
  const isRoot = process.getuid?.() === 0;
  const browser: Browser = await chromium.launch({ executablePath, chromiumSandbox: !isRoot });
  const faults: string[] = [];
  t.after(async () => {
    await browser.close();
    assert.deepEqual(faults, [], 'the pages are quiet and ask nobody else');
  });
  return {
    async open({ origin, path, colorScheme = 'light', viewport = ordinary, isRefused = false }) {
      const context = await browser.newContext({ baseURL: origin, colorScheme, viewport });
      context.setDefaultTimeout(stepMsMax);
      await context.route('**/*', async (route) => {
        const url = route.request().url();
        if (new URL(url).origin === origin || /^(data|blob):/.test(url)) return route.continue();
        faults.push(`asked for ${url}`);
        return route.abort();
      });
      const page = await context.newPage();
      page.on('pageerror', (error) => void faults.push(`threw ${error.message}`));
      page.on('console', (message) => {
        if (message.type() !== 'error' || (isRefused && refusal.test(message.text()))) return;
        if (hasNoAnalytics && /\/analytics\//.test(message.location().url)) return;
        // A stream breaks with its server, and the page says so itself.
        if (/net::ERR_/.test(message.text()) && /\/_live(\?|$)/.test(message.location().url)) return;
        faults.push(`${message.text()} (${message.location().url})`);
      });
      await page.goto(path, { waitUntil: 'networkidle' });
      return page;
    },
  };
}

/** Contrast of a text with what is behind it, as WCAG 2 counts it: 4.5 and more is readable for ordinary text, 3 for large. */
export async function contrastOf(page: Page, selector: string): Promise<number> {
  return Number(
    await page.evaluate(`(${contrastInPage})(document.querySelector(${JSON.stringify(selector)}))`),
  );
}

/** Runs in the page, which this project's types know nothing of. */
const contrastInPage = `(element) => {
  const read = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  // From the page inwards, each over what is behind it.
  const chain = [];
  for (let at = element; at !== null; at = at.parentElement) chain.unshift(at);
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  let behind = isDark ? [18, 18, 18] : [255, 255, 255];
  for (const each of chain) {
    const [r = 0, g = 0, b = 0, alpha = 1] = read(getComputedStyle(each).backgroundColor);
    behind = [r, g, b].map((value, at) => value * alpha + behind[at] * (1 - alpha));
  }
  const [a, b] = [light(read(getComputedStyle(element).color)), light(behind)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}`;

import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';

const quietMs = 300;
const quietPollMs = 25;
const settledMsMax = 60_000;

/** How long a page took, in milliseconds from when it was asked for. */
export interface Loaded {
  /** Until it had its heading, and no table in it awaited its rows. */
  readonly drawnMs: number;
  /** Until the last of what it asks for had arrived. */
  readonly answeredMs: number;
}

/** Loads an address, and waits until the page asks for nothing any more. */
export async function loadPage(page: Page, path: string): Promise<Loaded> {
  const open = new Set<unknown>();
  const isAsked = (url: string): boolean => !/\/_live(\?|$)/.test(url);
  const begin = (request: { url(): string }): void => void (isAsked(request.url()) && open.add(request));
  const end = (request: unknown): void => void open.delete(request);
  page.on('request', begin).on('requestfinished', end).on('requestfailed', end);
  try {
    await page.goto(path, { waitUntil: 'commit' });
    const drawnMs = Number(await page.evaluate(drawnInPage));
    const untilMs = performance.now() + settledMsMax;
    for (let quiet = 0; quiet < quietMs; quiet = open.size === 0 ? quiet + quietPollMs : 0) {
      if (performance.now() > untilMs) throw new Error(`${path} asks on and on`);
      await delay(quietPollMs);
    }
    const answeredMs = Number(await page.evaluate(answeredInPage));
    return { drawnMs, answeredMs: Math.max(drawnMs, answeredMs) };
  } finally {
    page.off('request', begin).off('requestfinished', end).off('requestfailed', end);
  }
}

/** Runs in the page: ms since its navigation began, once it has its heading and awaits nothing. */
const drawnInPage = `new Promise((resolve) => {
  const look = () => document.querySelector('h1') !== null && document.querySelector('[aria-busy="true"]') === null
    ? resolve(performance.now()) : requestAnimationFrame(look);
  look();
})`;

/** Runs in the page: when the last answer had arrived, and a frame was drawn with it; streams have no end. */
const answeredInPage = `Math.max(0, ...performance.getEntriesByType('resource')
  .filter(({ name }) => !/\\/_live(\\?|$)/.test(name)).map(({ responseEnd }) => responseEnd))`;

/** Scrolls what scrolls of a page to its end and back; gives the ms of each frame, from the quickest on. */
export async function scrollFrames(page: Page): Promise<readonly number[]> {
  return (await page.evaluate(scrollInPage)) as number[];
}

const scrollInPage = `new Promise((resolve) => {
  const all = [document.scrollingElement, ...document.querySelectorAll('main, main *, [class*="body"]')];
  const scroller = all.filter((each) => each !== null && each.scrollHeight > each.clientHeight + 40)
    .sort((a, b) => b.scrollHeight - b.clientHeight - (a.scrollHeight - a.clientHeight))[0];
  if (scroller === undefined) return resolve([]);
  const frames = [];
  let before = performance.now();
  let left = 60;
  const step = (now) => {
    frames.push(now - before);
    before = now;
    scroller.scrollTop += left > 30 ? 120 : -120;
    left -= 1;
    if (left > 0) requestAnimationFrame(step);
    else resolve(frames.slice(1).sort((a, b) => a - b));
  };
  requestAnimationFrame(step);
})`;

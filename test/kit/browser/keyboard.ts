import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { eventually } from '../eventually.ts';

/** More than any page has stops. */
const stopsMax = 400;

/** Presses Tab until something has the focus; from where the focus is, round the page once. */
export async function reach(page: Page, locator: Locator): Promise<void> {
  const handle = await locator.elementHandle();
  assert.ok(handle !== null);
  for (let n = 0; n < stopsMax; n += 1) {
    if (await handle.evaluate((element) => element === element.ownerDocument.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not come to ${String(locator)}`);
}

/** Waits until something has the focus. */
export const isFocused = (locator: Locator): Promise<unknown> =>
  eventually(() => locator.evaluate((element) => element === element.ownerDocument.activeElement));

/** What a keyboard meets on a page. */
export interface Stops {
  /** How often it stops. */
  readonly count: number;
  /** What can be used by a pointer, and Tab never comes to, as it is written in the page. */
  readonly missed: readonly string[];
  /** What has had the focus and did not look any different. */
  readonly unseen: readonly string[];
}

/**
 * Goes once through all that a page, or a part of it, holds.
 *
 * Of what is one stop for several, such as radio buttons of one name and what arrows go through, one is enough.
 */
export async function stopsOf(page: Page, within = 'body'): Promise<Stops> {
  await page.evaluate(`(${watchInPage})(${JSON.stringify(within)})`);
  for (let n = 0; n < stopsMax; n += 1) {
    await page.keyboard.press('Tab');
    // At its end a dialog leads back to its beginning a moment later, by a stop that is none.
    if (within !== 'body') await page.locator(`${within} :focus:not([data-base-ui-focus-guard])`).waitFor();
    if (await page.evaluate('window.keyboardStops.next()')) break;
  }
  return (await page.evaluate('window.keyboardStops.told()')) as Stops;
}

/** Runs in the page, which this project's types know nothing of. */
const watchInPage = `(within) => {
  const usable = 'a[href], button, input, select, textarea, summary, [tabindex="0"], [contenteditable="true"]';
  const isThere = (element) => element.checkVisibility({ visibilityProperty: true })
    && !element.matches(':disabled, [inert], [inert] *, [aria-hidden="true"], [aria-hidden="true"] *, [data-base-ui-focus-guard]')
    && element.getBoundingClientRect().width > 1;
  const isOneOfMany = (element) => element.tabIndex < 0
    && element.closest('[role="menu"], [role="listbox"], [role="tree"], [role="radiogroup"], [role="toolbar"], [role="grid"], [role="tablist"], [role="group"]') !== null;
  const parts = (element) => [element, element.parentElement, element.parentElement?.parentElement, element.nextElementSibling].filter((each) => each);
  const looks = (element) => parts(element).map((each) => {
    const { boxShadow, outlineStyle, outlineWidth, borderColor, backgroundColor, top } = getComputedStyle(each);
    return [boxShadow, outlineStyle, outlineWidth, borderColor, backgroundColor, top].join(' ');
  }).join(' | ');
  const wordsOf = (element) => element.outerHTML.slice(0, 160);
  const seen = new Set();
  // What comes meanwhile, such as a count of new rows, comes behind what was gone through already.
  const before = new Set(document.querySelectorAll(usable));
  const unseen = [];
  let last;
  let first;
  document.activeElement?.blur();
  if (within !== 'body') document.querySelector(within).querySelector(usable)?.focus();
  window.keyboardStops = {
    next() {
      if (last !== undefined && last.element.isConnected && looks(last.element) === last.looks) unseen.push(wordsOf(last.element));
      const element = document.activeElement;
      last = undefined;
      if (element === document.body || element === null) return first !== undefined;
      if (element === first) return true;
      first ??= element;
      if (!seen.has(element)) last = { element, looks: looks(element) };
      seen.add(element);
      return false;
    },
    told() {
      const names = new Set([...seen].filter((each) => each.type === 'radio').map((each) => each.name));
      const missed = [...document.querySelectorAll(usable)]
        .filter((each) => before.has(each) && each.closest(within) !== null && isThere(each) && !seen.has(each) && !isOneOfMany(each))
        .filter((each) => !(each.type === 'radio' && names.has(each.name)));
      return { count: seen.size, missed: missed.map(wordsOf), unseen };
    },
  };
}`;

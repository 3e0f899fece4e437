import { z } from 'zod';

/**
 * The one judge of texts that become part of a head, whoever supplies them: a definition, a policy's configuration, a setting.
 *
 * Decided once: printable ASCII, and tabs inside a value. RFC 9110 section 5.5 also lets bytes of 0x80 and above through but does
 * not say what they mean: the `ü` of a JSON text could leave as one byte (Latin-1) or as two (UTF-8), and readers guess differently.
 * So nobody may write one here. What clients and backends send passes byte for byte (data-plane/http).
 */

const tokenCharacters = "!#$%&'*+\\-.^_`|~0-9A-Za-z";
const token = new RegExp(`^[${tokenCharacters}]+$`);
const parameter = `[ \\t]*;[ \\t]*[${tokenCharacters}]+=(?:[${tokenCharacters}]+|"[\\t !#-\\[\\]-~]*")`;
const mediaRange = new RegExp(`^[${tokenCharacters}]+/[${tokenCharacters}]+(?:${parameter})*$`);

/** Most headers that one place adds, removes or keeps. */
export const headersPerPlaceMax = 100;
/** Longest name of a header. */
export const headerNameCharsMax = 256;
/** Longest method. */
export const methodCharsMax = 32;
/** Longest origin. */
export const originCharsMax = 512;
/** Longest value of a header. */
export const headerValueCharsMax = 8_192;

/** Says whether a text is a token of RFC 9110 section 5.6.2, as header names and methods are. */
export const isToken = (text: string): boolean => token.test(text);

/** A header's name: a token of RFC 9110 section 5.6.2; lists of names that know `*` may say it, since it is one. */
export const headerNameSchema = z
  .string()
  .min(1)
  .max(headerNameCharsMax)
  .regex(token, "must be a header name: letters, digits and !#$%&'*+-.^_`|~");

/** A header's value. Blanks around it are dropped: they belong to no value, and servers disagree about them. */
export const headerValueSchema = z
  .string()
  .max(headerValueCharsMax)
  .regex(
    /^[\t\x20-\x7e]*$/,
    'must be printable ASCII on one line: other characters have no one spelling in a header; RFC 8187 and percent-encoding have',
  )
  .trim();

/** A media type or range, e.g. `application/json; charset=utf-8`, `text/*`. */
export const mediaRangeSchema = z
  .string()
  .min(1)
  .max(256)
  .trim()
  .regex(mediaRange, 'must be a media type such as application/json, or */* for any');

/** A method: a token, RFC 9110 section 9.1. */
export const methodSchema = z.string().min(1).max(methodCharsMax).regex(token, 'must be an HTTP method');

/** An origin as browsers send it (RFC 6454 section 6.1), or `*`. */
export const originSchema = z
  .string()
  .min(1)
  .max(originCharsMax)
  .regex(
    /^[\x20-\x7e]+$/,
    'must be an origin as browsers send it, e.g. https://acme.com: printable ASCII; a name of other letters in its xn-- form',
  );

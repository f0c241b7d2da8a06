import { locale } from "./i18n.js";

/**
 * An amount as the server sends it. The exponent is the currency's number of decimals; it is never taken from the browser,
 * which is wrong for some currencies.
 * @typedef {{minor: number, currency: string, exponent: number}} Money
 */

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * Writes an amount as the reader's region does, with its currency and a real minus sign.
 * @param {Money | null | undefined} m
 * @returns {string}
 */
export function money(m) {
    if (!m) return "";
    const key = m.currency + m.exponent;
    let format = formats.get(key);
    if (!format) {
        format = new Intl.NumberFormat(locale, {
            style: "currency", currency: m.currency,
            minimumFractionDigits: m.exponent, maximumFractionDigits: m.exponent,
        });
        formats.set(key, format);
    }
    return format.format(/** @type {any} */ (decimal(m))).replace("-", "−");
}

/** The amount as a decimal string, exact at any size. @param {Money} m */
export function decimal({ minor, exponent }) {
    const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
    const whole = digits.slice(0, digits.length - exponent);
    return (minor < 0 ? "-" : "") + whole + (exponent ? "." + digits.slice(-exponent) : "");
}

/** The difference a − b of two amounts of one currency. @param {Money} a @param {Money} b @returns {Money} */
export const minus = (a, b) => ({ ...a, minor: a.minor - b.minor });

/** n times an amount. @param {Money} a @param {number} n @returns {Money} */
export const times = (a, n) => ({ ...a, minor: a.minor * n });

/**
 * Adds amounts up per currency, in the order the currencies first appear.
 * @param {Money[]} amounts
 * @returns {Money[]}
 */
export function addUp(amounts) {
    /** @type {Map<string, Money>} */
    const sums = new Map();
    for (const a of amounts) {
        const sum = sums.get(a.currency);
        sums.set(a.currency, sum ? { ...sum, minor: sum.minor + a.minor } : a);
    }
    return [...sums.values()];
}

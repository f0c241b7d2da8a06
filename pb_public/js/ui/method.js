import { html } from "../vendor.js";
import { locale, t } from "../lib/i18n.js";

/** What people call a saved method: "Visa •••• 4242", "PayPal ada@example.com". @param {any} m */
export function methodName(m) {
    const brand = m.brand && m.brand !== m.kind ? m.brand.replaceAll("_", " ") : "";
    const name = brand ? brand[0].toUpperCase() + brand.slice(1) : t("method_kind." + m.kind);
    return m.last4 ? `${name} •••• ${m.last4}` : m.account ? `${name} ${m.account}` : name;
}

/** The same for eyes and, without the dots, for ears. @param {{method: any}} props */
export const Method = ({ method: m }) => m.last4
    ? html`<span aria-hidden="true">${methodName(m)}</span><span class="sr">${t("methods.number", { brand: methodName({ ...m, last4: "", account: "" }), last4: m.last4 })}</span>`
    : html`<span>${methodName({ ...m, account: "" })}</span>${m.account && html`<span class="sub value">${m.account}</span>`}`;

/** A card's last month, as the reader writes it. @param {any} m */
export const validUntil = (m) => new Intl.DateTimeFormat(locale, { year: "numeric", month: "2-digit", timeZone: "UTC" }).format(Date.UTC(m.exp_year, Math.max(m.exp_month, 1) - 1, 1));

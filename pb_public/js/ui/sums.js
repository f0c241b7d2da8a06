import { html } from "../vendor.js";
import { money } from "../lib/money.js";
import { t } from "../lib/i18n.js";
import { Day } from "./time.js";

/**
 * The lines of a quote or an invoice and their sums, exactly as the server worked them out.
 * @param {{of: {lines: any[], subtotal: any, tax: any, total: any, discount?: any, tax_inclusive?: boolean}, totalLabel: string}} props
 */
export const Sums = ({ of, totalLabel }) => html`<dl class="sum">
    ${of.lines.map((line) => html`<div class="line">
        <dt>${line.quantity > 1 ? `${line.quantity} × ` : ""}${line.kind === "unused" ? t("sum.unused", { what: line.description }) : line.description}
            ${line.period?.start && line.period?.end && html`<small><${Day} at=${line.period.start} /> – <${Day} at=${line.period.end} /></small>`}</dt>
        <dd class="num">${money(line.amount)}</dd>
    </div>`)}
    ${of.discount?.minor > 0 && html`<div><dt>${t("sum.discount")}</dt><dd class="num">${money(of.discount)}</dd></div>`}
    <div><dt>${t(of.tax_inclusive ? "sum.tax_included" : "sum.tax")}</dt><dd class="num">${money(of.tax)}</dd></div>
    <div class="total"><dt>${totalLabel}</dt><dd class="num">${money(of.total)}</dd></div>
</dl>`;

import { locale, t } from "./i18n.js";

const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });

/** A count or measure in the reader's digits. @param {number} n */
export const number = (n) => plain.format(n);

const names = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Bytes in decimal units, as traffic is sold: "812 MB", "1.4 TB". @param {number} n */
export function bytes(n) {
    let power = 0;
    while (Math.abs(n) >= 1000 && power < names.length - 1) {
        n /= 1000;
        power++;
    }
    return `${plain.format(n)} ${names[power]}`;
}

/**
 * Bytes as panels count traffic allowances: a GB has 2^30 bytes, a TB 1000 of those, so that an allowance reads as it was sold.
 * @param {number} n
 */
export function traffic(n) {
    const gb = n / 2 ** 30;
    if (Math.abs(gb) >= 1000) return `${plain.format(gb / 1000)} TB`;
    return Math.abs(gb) >= 1 ? `${plain.format(gb)} GB` : bytes(n);
}

const binaryNames = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes in binary units, as memory and disks of machines are counted: "3.2 GiB". @param {number} n */
export function binaryBytes(n) {
    let power = 0;
    while (Math.abs(n) >= 1024 && power < binaryNames.length - 1) {
        n /= 1024;
        power++;
    }
    return `${plain.format(n)} ${binaryNames[power]}`;
}

/** The features of a plan as pairs of label and value, those that are not numbers left out. @param {Record<string, any>} f @returns {[string, string][]} */
export function specs(f) {
    /** @type {[string, string][]} */
    const list = [];
    if (f.cpu_cores) list.push([t("spec.cpu"), t("spec.cores", { count: f.cpu_cores })]);
    if (f.ram_mb) list.push([t("spec.ram"), f.ram_mb >= 1024 ? `${plain.format(f.ram_mb / 1024)} GB` : `${f.ram_mb} MB`]);
    if (f.disk_gb) list.push([t("spec.disk"), `${plain.format(f.disk_gb)} GB`]);
    if (f.bandwidth_gb) list.push([t("spec.traffic"), f.bandwidth_gb >= 1000 ? `${plain.format(f.bandwidth_gb / 1000)} TB` : `${plain.format(f.bandwidth_gb)} GB`]);
    else if (f.bandwidth_gb === 0) list.push([t("spec.traffic"), t("spec.unmetered")]);
    return list;
}

export { formatReport, parseReportFormat, reportFormats, textKind, type ReportFormat } from './formats.ts';
export { formatAnnotations } from './github.ts';
export { countsOf, type Counts, type Report, type Suppressed } from './report.ts';
export { toSarif } from './sarif.ts';
export { table } from './table.ts';

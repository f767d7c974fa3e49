// Durations in the reader's language.
import { locale } from './index';

const formatter = new Intl.DurationFormat(locale, { style: 'narrow' });
const seconds = new Intl.NumberFormat(locale, { style: 'unit', unit: 'second', unitDisplay: 'narrow' });

/** At most two units, because a third adds nothing useful. */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms / 1000));
  if (whole < 60) return seconds.format(whole);
  if (whole < 3600) return formatter.format({ minutes: Math.floor(whole / 60), seconds: whole % 60 });
  if (whole < 86_400)
    return formatter.format({ hours: Math.floor(whole / 3600), minutes: Math.floor((whole % 3600) / 60) });
  return formatter.format({ days: Math.floor(whole / 86_400), hours: Math.floor((whole % 86_400) / 3600) });
}

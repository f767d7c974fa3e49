// The texts of one page, in addition to those of all pages.
import type { ReactNode } from 'react';
import { IntlProvider, useTimeZone } from 'use-intl';
import { language, locale, messages, type Language } from './index';

export function PageTexts({ texts, children }: { texts: Record<Language, object>; children: ReactNode }) {
  const timeZone = useTimeZone();
  return (
    <IntlProvider locale={locale} messages={{ ...messages, ...texts[language] }} timeZone={timeZone}>
      {children}
    </IntlProvider>
  );
}

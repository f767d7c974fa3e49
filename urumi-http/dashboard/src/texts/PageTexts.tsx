// The texts of one page, in addition to those around it.
import type { ReactNode } from 'react';
import { IntlProvider, useMessages, useTimeZone } from 'use-intl';
import { language, locale, type Language } from './index';

export function PageTexts({ texts, children }: { texts: Record<Language, object>; children: ReactNode }) {
  const timeZone = useTimeZone();
  const around = useMessages();
  return (
    <IntlProvider locale={locale} messages={{ ...around, ...texts[language] }} timeZone={timeZone}>
      {children}
    </IntlProvider>
  );
}

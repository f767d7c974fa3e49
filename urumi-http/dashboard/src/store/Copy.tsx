// Copies a text and confirms it.
import { ActionIcon, CopyButton, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import classes from './Copy.module.css';

/** `what` names the text for screen readers. */
export function Copy({ value, what }: { value: string; what: string }) {
  const t = useTranslations('store');
  return (
    <CopyButton value={value} timeout={2000}>
      {({ copied, copy }) => (
        <>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('copy', { what })}
            title={copied ? t('copied') : t('copy', { what })}
            onClick={copy}
          >
            {copied ? (
              <IconCheck size={16} aria-hidden className={classes.done} />
            ) : (
              <IconCopy size={16} aria-hidden />
            )}
          </ActionIcon>
          <VisuallyHidden role="status">{copied ? t('copied') : ''}</VisuallyHidden>
        </>
      )}
    </CopyButton>
  );
}

export function CopyId({ id }: { id: string }) {
  const t = useTranslations('store');
  return (
    <CopyButton value={id} timeout={2000}>
      {({ copied, copy }) => (
        <>
          <UnstyledButton
            onClick={copy}
            className={classes.id}
            aria-label={`${id}: ${t('copy', { what: t('fact.id') })}`}
            title={copied ? t('copied') : t('copy', { what: t('fact.id') })}
          >
            <Text span ff="monospace" fz="sm" className="untrusted">
              {id}
            </Text>
            {copied ? (
              <IconCheck size={14} aria-hidden className={classes.done} />
            ) : (
              <IconCopy size={14} aria-hidden />
            )}
          </UnstyledButton>
          <VisuallyHidden role="status">{copied ? t('copied') : ''}</VisuallyHidden>
        </>
      )}
    </CopyButton>
  );
}

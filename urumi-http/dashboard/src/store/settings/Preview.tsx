// What a change does to a store.
import { Box, Button, List, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { useId } from 'react';
import { useTranslations } from 'use-intl';
import type { UpdatePreview } from '../../api/types';
import { optionName } from '../../options/names';
import { ChangeList } from '../ChangeList';
import type { Difference } from '../objects/tree';
import { usePartName } from '../words';
import classes from './SettingsTab.module.css';

interface PreviewProps {
  /** The store's name before the change. */
  name: string;
  preview: UpdatePreview;
}

export function Preview({ name: before, preview }: PreviewProps) {
  const t = useTranslations('store.settings.effects');
  const part = usePartName();
  const { name, options, restarts, objects, warnings = [] } = preview;
  const isRenamed = name !== before;
  return (
    <Stack gap="md" data-effects={preview.revision}>
      {isRenamed || options.length > 0 ? (
        <ChangeList name={isRenamed ? { from: before, to: name } : undefined} options={options} />
      ) : (
        <Text size="sm">{t('unseen')}</Text>
      )}
      {restarts.length > 0 ? (
        <div>
          <Text size="sm" fw={600}>
            {t('restarts')}
          </Text>
          <List size="sm">
            {restarts.map((component) => (
              <List.Item key={component}>{part(component)}</List.Item>
            ))}
          </List>
          <Text size="xs" c="dimmed" mt={4}>
            {t('restartHint')}
          </Text>
        </div>
      ) : (
        <Text size="sm">{t('noRestart')}</Text>
      )}
      {warnings.length > 0 && (
        <div>
          <Text size="sm" fw={600}>
            {t('warnings')}
          </Text>
          <List size="sm">
            {warnings.map(({ field, message }) => (
              <List.Item key={field} className="untrusted">
                {optionName(field.replace(/^options\./, ''))}: {message}
              </List.Item>
            ))}
          </List>
        </div>
      )}
      {objects.length > 0 && <Objects objects={objects} />}
    </Stack>
  );
}

function Objects({ objects }: { objects: Difference[] }) {
  const t = useTranslations('store.settings.effects');
  const [shown, { toggle }] = useDisclosure();
  const details = useId();
  return (
    <div>
      <Button
        variant="subtle"
        color="gray"
        c="inherit"
        size="compact-sm"
        ml={-8}
        onClick={toggle}
        aria-expanded={shown}
        aria-controls={details}
        rightSection={
          shown ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />
        }
      >
        {t('objects')}
      </Button>
      <div id={details}>
        {shown && (
          <Box mt="xs" className={classes.objects} tabIndex={0} role="group" aria-label={t('objects')}>
            <Stack component="ul" gap="sm" m={0} p={0} className="listless">
              {objects.map(({ action, object, fields = [] }) => (
                <li key={object}>
                  <Text size="sm" fw={600} className="untrusted">
                    {t('object', { action, object })}
                  </Text>
                  {fields.length > 0 && <ChangeList options={fields.map(asOption)} title={String} />}
                </li>
              ))}
            </Stack>
          </Box>
        )}
      </div>
    </div>
  );
}

const asOption = ({ path, actual, desired }: NonNullable<Difference['fields']>[number]) => ({
  option: path,
  from: actual,
  to: desired,
});

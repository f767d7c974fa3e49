// All objects that a request would create, grouped by purpose, each with its full content.
import { Accordion, ActionIcon, Box, Code, CopyButton, Group, Stack, Text, Title } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { humanize } from '../options/schema';

interface Manifest {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
}

export default function ObjectTree({ objects }: { objects: Record<string, unknown>[] }) {
  const t = useTranslations('create.objects');
  const components = new Map<string, Manifest[]>();
  for (const manifest of objects as unknown as Manifest[]) {
    const component = manifest.metadata.labels?.['app.kubernetes.io/component'] ?? '';
    components.set(component, [...(components.get(component) ?? []), manifest]);
  }
  return (
    <Stack gap="md">
      {Array.from(components, ([component, ofIt]) => (
        <div key={component}>
          <Title order={3} fz="sm" mb={4}>
            {component === '' ? t('shared') : humanize(component)}
          </Title>
          <Accordion order={4} keepMounted={false} variant="contained" multiple>
            {ofIt.map((manifest) => (
              <ObjectItem key={`${manifest.kind}/${manifest.metadata.name}`} manifest={manifest} />
            ))}
          </Accordion>
        </div>
      ))}
    </Stack>
  );
}

function ObjectItem({ manifest }: { manifest: Manifest }) {
  const { kind, metadata } = manifest;
  return (
    <Accordion.Item value={`${kind}/${metadata.name}`}>
      <Accordion.Control>
        <Group gap={8} wrap="wrap">
          <Text size="sm" fw={600}>
            {kind}
          </Text>
          <Text size="sm" c="dimmed" className="untrusted">
            {metadata.name}
          </Text>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Contents manifest={manifest} />
      </Accordion.Panel>
    </Accordion.Item>
  );
}

function Contents({ manifest }: { manifest: Manifest }) {
  const t = useTranslations('create.objects');
  const { kind, metadata } = manifest;
  const json = JSON.stringify(manifest, null, 2);
  return (
    <Box pos="relative">
      <CopyButton value={json}>
        {({ copied, copy }) => (
          <ActionIcon
            pos="absolute"
            top={6}
            right={6}
            variant="default"
            aria-label={copied ? t('copied') : t('copy', { kind, name: metadata.name })}
            onClick={copy}
          >
            {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
          </ActionIcon>
        )}
      </CopyButton>
      <Code block mah={360} tabIndex={0} role="group" aria-label={`${kind} ${metadata.name}`}>
        {json}
      </Code>
    </Box>
  );
}

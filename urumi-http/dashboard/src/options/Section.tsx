// A card of a form, with a heading.
import { Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** The background of cards, in contrast to that of the page. */
export const CARD = 'light-dark(var(--mantine-color-white), var(--mantine-color-dark-7))';

interface SectionProps {
  title: string;
  lead?: string;
  children: ReactNode;
}

export function Section({ title, lead, children }: SectionProps) {
  return (
    <Paper component="section" bg={CARD} withBorder radius="lg" p={{ base: 'md', xs: 'xl' }}>
      <Title order={2} fz="lg">
        {title}
      </Title>
      {lead && (
        <Text size="sm" c="dimmed" mt={4}>
          {lead}
        </Text>
      )}
      <Stack gap="lg" mt="md">
        {children}
      </Stack>
    </Paper>
  );
}

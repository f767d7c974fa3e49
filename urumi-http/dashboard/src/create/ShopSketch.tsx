// A preview of the shop: its name, picture and colours in a window with its address.
import { Box, Group, Image, isLightColor, Paper, SimpleGrid, Text } from '@mantine/core';
import { IconLock, IconWorld } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import type { Leaf } from '../options/schema';
import type { Values } from '../options/values';

interface SketchProps {
  name: string;
  address?: string;
  leaves: Leaf[];
  values: Values;
}

export function ShopSketch({ name, address, leaves, values }: SketchProps) {
  const t = useTranslations('create.preview');
  const look = lookOf(leaves, values);
  const Scheme = address?.startsWith('https:') ? IconLock : IconWorld;
  return (
    // Hidden from screen readers: the addresses follow as text.
    <Paper withBorder radius="md" aria-hidden className="sketch">
      <Group gap={6} px="sm" py={8} wrap="nowrap" className="sketch-bar">
        {['red', 'yellow', 'green'].map((color) => (
          <Box key={color} w={9} h={9} bg={`${color}.5`} className="sketch-dot" />
        ))}
        <Group gap={6} px={10} py={3} ms={6} flex={1} miw={0} wrap="nowrap" className="sketch-address">
          <Scheme size={13} />
          <Text size="xs" truncate className="untrusted">
            {address?.replace(/^https?:\/\//, '') ?? '…'}
          </Text>
        </Group>
      </Group>
      <Box bg={look.background} c={look.text} p="md">
        <Group gap="xs" wrap="nowrap" mb="lg">
          {look.picture ? (
            <Image src={look.picture} alt="" h={28} w="auto" maw={120} fit="contain" />
          ) : (
            <Box w={22} h={22} bg={look.accent} className="sketch-dot" />
          )}
          <Text fw={700} truncate className="untrusted">
            {name || t('shop')}
          </Text>
        </Group>
        <Text fw={700} fz={22} lh={1.2} mb="sm">
          {t('products')}
        </Text>
        <Box
          display="inline-block"
          bg={look.accent}
          c={isLightColor(look.accent) ? '#111827' : '#ffffff'}
          px="md"
          py={6}
          mb="lg"
          fz="sm"
          fw={600}
          className="sketch-button"
        >
          {t('button')}
        </Box>
        <SimpleGrid cols={3} spacing="xs">
          {['a', 'b', 'c'].map((product) => (
            <div key={product}>
              <Box h={52} bg={look.text} opacity={0.12} mb={6} className="sketch-button" />
              <Box h={6} w="75%" bg={look.text} opacity={0.35} mb={5} className="sketch-button" />
              <Box h={6} w="40%" bg={look.accent} className="sketch-button" />
            </div>
          ))}
        </SimpleGrid>
      </Box>
    </Paper>
  );
}

function lookOf(leaves: Leaf[], values: Values) {
  const of = (kind: Leaf['kind'], name: RegExp) => {
    const leaf = leaves.find((one) => one.kind === kind && name.test(one.path));
    return leaf && (values[leaf.path] ?? leaf.default);
  };
  const colour = (name: RegExp, otherwise: string) => {
    const value = of('colour', name);
    return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value : otherwise;
  };
  const picture = of('picture', /./);
  return {
    background: colour(/background/i, '#ffffff'),
    text: colour(/text/i, '#1f2937'),
    accent: colour(/accent|primary/i, '#111827'),
    picture: typeof picture === 'string' ? picture : undefined,
  };
}

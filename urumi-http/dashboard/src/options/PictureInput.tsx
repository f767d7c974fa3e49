// A picture from a file, stored as the data URL that the API expects.
import { Button, FileInput, Group, Image, Paper, Stack } from '@mantine/core';
import { IconPhoto, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useFormatter, useTranslations } from 'use-intl';
import { INPUT_FIRST, useDescription, type InputProps } from './FieldInput';
import { useMessage } from './messages';
import { controlId } from './problems';
import type { Leaf } from './schema';

type Picture = Extract<Leaf, { kind: 'picture' }>;

export function PictureInput({ leaf, scope }: InputProps<Picture>) {
  const t = useTranslations('options');
  const format = useFormatter();
  const control = scope.prefix + leaf.path;
  const message = useMessage(control);
  const description = useDescription(leaf);
  const [refused, setRefused] = useState<string>();
  const value = scope.values[leaf.path];
  const kibibytes = (bytes: number) => format.number(Math.ceil(bytes / 1024));

  async function take(file: File | null) {
    if (!file) return;
    if (leaf.maxBytes !== undefined && file.size > leaf.maxBytes) {
      setRefused(t('tooLarge', { size: kibibytes(file.size), limit: kibibytes(leaf.maxBytes) }));
      return;
    }
    setRefused(undefined);
    scope.onChange(leaf.path, await asDataUrl(file));
  }

  const error = refused ?? message;
  return (
    <Stack gap="xs">
      <FileInput
        id={controlId(control)}
        label={leaf.label}
        description={
          leaf.maxBytes === undefined ? (
            description
          ) : (
            <>
              {description} {t('upTo', { limit: kibibytes(leaf.maxBytes) })}
            </>
          )
        }
        inputWrapperOrder={INPUT_FIRST}
        error={error && <span className="untrusted">{error}</span>}
        placeholder={t(leaf.locked ? 'unset' : typeof value === 'string' ? 'otherPicture' : 'choosePicture')}
        leftSection={<IconPhoto size={18} aria-hidden />}
        leftSectionPointerEvents="none"
        accept="image/*"
        disabled={value === null || leaf.locked}
        value={null}
        onChange={(file) => void take(file)}
      />
      {typeof value === 'string' && (
        <Group gap="sm">
          <Paper withBorder p={6} bg="white">
            <Image
              src={value}
              alt={t('picture', { label: leaf.label })}
              h={40}
              w="auto"
              maw={200}
              fit="contain"
            />
          </Paper>
          {!leaf.locked && (
            <Button
              variant="default"
              size="xs"
              leftSection={<IconTrash size={14} aria-hidden />}
              onClick={() => {
                scope.onChange(leaf.path, undefined);
                document.getElementById(controlId(control))?.focus();
              }}
            >
              {t('removePicture')}
            </Button>
          )}
        </Group>
      )}
    </Stack>
  );
}

function asDataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
}

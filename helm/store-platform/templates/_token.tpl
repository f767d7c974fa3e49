{{/*
A token in the format of `urumi-http token`: `urumi_`, 43 random characters, and their CRC-32 as 6 characters in base 62.
Templates have neither a CRC-32 nor an exclusive or, so this file computes both, four bits at a time.
*/}}

{{/* The CRC-32 (as in gzip) of a text, as a number. */}}
{{- define "store-platform.crc32" -}}
{{- /* The exclusive or of each two of sixteen numbers, as letters from a to p. */ -}}
{{- $xor := "abcdefghijklmnopbadcfehgjilknmpocdabghefklijopmndcbahgfelkjiponmefghabcdmnopijklfehgbadcnmpojilkghefcdabopmnklijhgfedcbaponmlkjiijklmnopabcdefghjilknmpobadcfehgklijopmncdabgheflkjiponmdcbahgfemnopijklefghabcdnmpojilkfehgbadcopmnklijghefcdabponmlkjihgfedcba" -}}
{{- $table := list 0 498536548 997073096 651767980 1994146192 1802195444 1303535960 1342533948 3988292384 4027552580 3604390888 3412177804 2607071920 2262029012 2685067896 3183342108 -}}
{{- $crc := 4294967295 -}}
{{- range $at := until (len .) -}}
{{- $byte := index $ $at | int -}}
{{- range $half := list (mod $byte 16) (div $byte 16) -}}
{{- $low := sub (index $xor (add (mul 16 (mod $crc 16)) $half | int) | int) 97 -}}
{{- $one := index $table ($low | int) -}}
{{- $other := div $crc 16 -}}
{{- $sum := 0 -}}
{{- $place := 1 -}}
{{- range until 8 -}}
{{- $sum = add $sum (mul $place (sub (index $xor (add (mul 16 (mod $one 16)) (mod $other 16) | int) | int) 97)) -}}
{{- $one = div $one 16 -}}
{{- $other = div $other 16 -}}
{{- $place = mul $place 16 -}}
{{- end -}}
{{- $crc = $sum -}}
{{- end -}}
{{- end -}}
{{- sub 4294967295 $crc -}}
{{- end }}

{{/* A token of these 43 characters. */}}
{{- define "store-platform.token" -}}
{{- $digits := "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" -}}
{{- $rest := include "store-platform.crc32" . | int64 -}}
{{- $sum := "" -}}
{{- range until 6 -}}
{{- $digit := mod $rest 62 | int -}}
{{- $sum = printf "%s%s" (substr $digit (add $digit 1 | int) $digits) $sum -}}
{{- $rest = div $rest 62 -}}
{{- end -}}
urumi_{{ . }}{{ $sum }}
{{- end }}

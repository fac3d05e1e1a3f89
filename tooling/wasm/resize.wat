;; Kernels of packages/encoders/src/vision: Pillow's bicubic passes over bytes, in 22-bit fixed point.
(module
  (memory (export "memory") 1)

  ;; One row: for each output byte, `groups` times eight taps from its first input byte on. Weights are int32, eight to a group,
  ;; zero where a position has fewer taps; what is read beyond the row is multiplied by zero.
  (func (export "row")
    (param $src i32) (param $dst i32) (param $outWidth i32) (param $first i32) (param $weights i32) (param $groups i32)
    (local $end i32) (local $from i32) (local $group i32) (local $sum v128) (local $bytes v128) (local $level i32)
    (local.set $end (i32.add (local.get $dst) (local.get $outWidth)))
    (loop $next
      (local.set $from (i32.add (local.get $src) (i32.load (local.get $first))))
      (local.set $sum (v128.const i32x4 0 0 0 0))
      (local.set $group (local.get $groups))
      (loop $taps
        (local.set $bytes (i16x8.extend_low_i8x16_u (v128.load64_zero (local.get $from))))
        (local.set $sum
          (i32x4.add
            (local.get $sum)
            (i32x4.add
              (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $bytes)) (v128.load (local.get $weights)))
              (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $bytes)) (v128.load offset=16 (local.get $weights))))))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (local.set $weights (i32.add (local.get $weights) (i32.const 32)))
        (local.set $group (i32.sub (local.get $group) (i32.const 1)))
        (br_if $taps (local.get $group)))
      (local.set $sum
        (i32x4.add
          (local.get $sum)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $sum) (local.get $sum))))
      (local.set $level
        (i32.shr_s
          (i32.add
            (i32.const 2097152)
            (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum))))
          (i32.const 22)))
      (local.set $level (select (i32.const 0) (local.get $level) (i32.lt_s (local.get $level) (i32.const 0))))
      (local.set $level (select (i32.const 255) (local.get $level) (i32.gt_s (local.get $level) (i32.const 255))))
      (i32.store8 (local.get $dst) (local.get $level))
      (local.set $dst (i32.add (local.get $dst) (i32.const 1)))
      (local.set $first (i32.add (local.get $first) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $dst) (local.get $end)))))

  ;; One output row from `taps` input rows, sixteen bytes at a time; up to fifteen bytes beyond the row are written.
  (func (export "column")
    (param $src i32) (param $dst i32) (param $stride i32) (param $taps i32) (param $weights i32)
    (local $end i32) (local $from i32) (local $w i32) (local $tap i32) (local $k v128) (local $bytes v128) (local $half v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $end (i32.add (local.get $dst) (local.get $stride)))
    (loop $next
      (local.set $a (v128.const i32x4 2097152 2097152 2097152 2097152))
      (local.set $b (local.get $a))
      (local.set $c (local.get $a))
      (local.set $d (local.get $a))
      (local.set $from (local.get $src))
      (local.set $w (local.get $weights))
      (local.set $tap (local.get $taps))
      (loop $rows
        (local.set $bytes (v128.load (local.get $from)))
        (local.set $k (v128.load32_splat (local.get $w)))
        (local.set $half (i16x8.extend_low_i8x16_u (local.get $bytes)))
        (local.set $a (i32x4.add (local.get $a) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $k))))
        (local.set $b (i32x4.add (local.get $b) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $k))))
        (local.set $half (i16x8.extend_high_i8x16_u (local.get $bytes)))
        (local.set $c (i32x4.add (local.get $c) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $k))))
        (local.set $d (i32x4.add (local.get $d) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $k))))
        (local.set $from (i32.add (local.get $from) (local.get $stride)))
        (local.set $w (i32.add (local.get $w) (i32.const 4)))
        (local.set $tap (i32.sub (local.get $tap) (i32.const 1)))
        (br_if $rows (local.get $tap)))
      ;; Narrowing saturates: levels are clipped to 0 and 255.
      (v128.store
        (local.get $dst)
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
          (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22)))))
      (local.set $src (i32.add (local.get $src) (i32.const 16)))
      (local.set $dst (i32.add (local.get $dst) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $dst) (local.get $end))))))

;; Kernels over flat float32 ranges of a parameter store. Addresses are bytes; every range starts at a multiple of 16 and
;; its length is a multiple of 16. Each operation rounds once to float32, in the order of src/optim/reference-kernels.ts.
(module
  (import "env" "memory" (memory 1 65536 shared))

  ;; AdamW, elementwise:
  ;;   g = gradient * scale
  ;;   m = m + (g - m) * oneMinusBeta1
  ;;   v = v * beta2 + (g * g) * oneMinusBeta2
  ;;   w = w * keep - (m * rate) / (sqrt(v) * correction + epsilon)
  (func (export "adamw")
    (param $w i32) (param $g i32) (param $m i32) (param $v i32) (param $bytes i32)
    (param $scale f32) (param $oneMinusBeta1 f32) (param $beta2 f32) (param $oneMinusBeta2 f32)
    (param $keep f32) (param $rate f32) (param $correction f32) (param $epsilon f32)
    (local $end i32) (local $gradient v128) (local $first v128) (local $second v128)
    (local $scale4 v128) (local $oneMinusBeta1x4 v128) (local $beta2x4 v128) (local $oneMinusBeta2x4 v128)
    (local $keep4 v128) (local $rate4 v128) (local $correction4 v128) (local $epsilon4 v128)
    (local.set $end (i32.add (local.get $w) (local.get $bytes)))
    (local.set $scale4 (f32x4.splat (local.get $scale)))
    (local.set $oneMinusBeta1x4 (f32x4.splat (local.get $oneMinusBeta1)))
    (local.set $beta2x4 (f32x4.splat (local.get $beta2)))
    (local.set $oneMinusBeta2x4 (f32x4.splat (local.get $oneMinusBeta2)))
    (local.set $keep4 (f32x4.splat (local.get $keep)))
    (local.set $rate4 (f32x4.splat (local.get $rate)))
    (local.set $correction4 (f32x4.splat (local.get $correction)))
    (local.set $epsilon4 (f32x4.splat (local.get $epsilon)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $w) (local.get $end)))
        (local.set $gradient (f32x4.mul (v128.load (local.get $g)) (local.get $scale4)))
        (local.set $first (v128.load (local.get $m)))
        (local.set $first
          (f32x4.add
            (local.get $first)
            (f32x4.mul (f32x4.sub (local.get $gradient) (local.get $first)) (local.get $oneMinusBeta1x4))))
        (v128.store (local.get $m) (local.get $first))
        (local.set $second
          (f32x4.add
            (f32x4.mul (v128.load (local.get $v)) (local.get $beta2x4))
            (f32x4.mul (f32x4.mul (local.get $gradient) (local.get $gradient)) (local.get $oneMinusBeta2x4))))
        (v128.store (local.get $v) (local.get $second))
        (v128.store
          (local.get $w)
          (f32x4.sub
            (f32x4.mul (v128.load (local.get $w)) (local.get $keep4))
            (f32x4.div
              (f32x4.mul (local.get $first) (local.get $rate4))
              (f32x4.add
                (f32x4.mul (f32x4.sqrt (local.get $second)) (local.get $correction4))
                (local.get $epsilon4)))))
        (local.set $w (i32.add (local.get $w) (i32.const 16)))
        (local.set $g (i32.add (local.get $g) (i32.const 16)))
        (local.set $m (i32.add (local.get $m) (i32.const 16)))
        (local.set $v (i32.add (local.get $v) (i32.const 16)))
        (br $next))))

  ;; Sum of squares in float64: four running sums, element i in sum i mod 4, added as (0 + 1) + (2 + 3).
  (func (export "sumOfSquares") (param $x i32) (param $bytes i32) (result f64)
    (local $end i32) (local $four v128) (local $pair v128) (local $low v128) (local $high v128)
    (local.set $end (i32.add (local.get $x) (local.get $bytes)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $x) (local.get $end)))
        (local.set $four (v128.load (local.get $x)))
        (local.set $pair (f64x2.promote_low_f32x4 (local.get $four)))
        (local.set $low (f64x2.add (local.get $low) (f64x2.mul (local.get $pair) (local.get $pair))))
        (local.set $pair
          (f64x2.promote_low_f32x4
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $four) (local.get $four))))
        (local.set $high (f64x2.add (local.get $high) (f64x2.mul (local.get $pair) (local.get $pair))))
        (local.set $x (i32.add (local.get $x) (i32.const 16)))
        (br $next)))
    (f64.add
      (f64.add (f64x2.extract_lane 0 (local.get $low)) (f64x2.extract_lane 1 (local.get $low)))
      (f64.add (f64x2.extract_lane 0 (local.get $high)) (f64x2.extract_lane 1 (local.get $high)))))

  ;; x = x * factor
  (func (export "scale") (param $x i32) (param $bytes i32) (param $factor f32)
    (local $end i32) (local $factor4 v128)
    (local.set $end (i32.add (local.get $x) (local.get $bytes)))
    (local.set $factor4 (f32x4.splat (local.get $factor)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $x) (local.get $end)))
        (v128.store (local.get $x) (f32x4.mul (v128.load (local.get $x)) (local.get $factor4)))
        (local.set $x (i32.add (local.get $x) (i32.const 16)))
        (br $next))))

  ;; average = average * decay + x * rest
  (func (export "movingAverage") (param $average i32) (param $x i32) (param $bytes i32) (param $decay f32) (param $rest f32)
    (local $end i32) (local $decay4 v128) (local $rest4 v128)
    (local.set $end (i32.add (local.get $average) (local.get $bytes)))
    (local.set $decay4 (f32x4.splat (local.get $decay)))
    (local.set $rest4 (f32x4.splat (local.get $rest)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $average) (local.get $end)))
        (v128.store
          (local.get $average)
          (f32x4.add
            (f32x4.mul (v128.load (local.get $average)) (local.get $decay4))
            (f32x4.mul (v128.load (local.get $x)) (local.get $rest4))))
        (local.set $average (i32.add (local.get $average) (i32.const 16)))
        (local.set $x (i32.add (local.get $x) (i32.const 16)))
        (br $next)))))

//! In which precision matrices are multiplied, as far as the names of kernels tell.
//!
//! Names of cuBLAS, cuDNN and CUTLASS say the instruction or the types: `s884`, `h1688` and `16816` are tensor cores with 16-bit
//! operands, `s1688` with TF32 where no 16-bit type is named, `sgemm` and `scudnn` are none (the list is that of NVIDIA's PyProf,
//! `prof/tc.py`; types are named as in CUTLASS's documentation of its profiler). Names of Tensile (AMD) say the type after `Cijk_A..k_B..k_`.

use serde::Serialize;

use super::kernels::{Kernel, Sums};
use super::names::{Names, Work};

/// What the operands of a multiplication are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit, without tensor cores.
    Full,
    /// TF32.
    Tf32,
    /// 16-bit or less.
    Half,
}

/// Device time of multiplications by precision, in microseconds. What names do not tell is in none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Matrix {
    /// See [`Precision::Full`].
    pub full_us: f64,
    /// See [`Precision::Tf32`].
    pub tf32_us: f64,
    /// See [`Precision::Half`].
    pub half_us: f64,
    /// Of the first two, the name that takes most.
    pub costliest: Option<String>,
    /// And how long that takes.
    pub costliest_us: f64,
}

/// What stands in names of kernels that multiply matrices, convolve, or attend.
const MATRIX: &[&str] = &["gemm", "mma", "884", "1688", "16816", "cudnn", "nvjet", "flash", "_engine<"];

/// Of those, what says that operands have 16 bits or less. `nvjet_h` and `nvjet_t` are cuBLAS on Hopper with FP16 and BF16.
const HALF: &[&str] =
    &["f16", "fp16", "16816", "h884", "s884", "h1688", "hmma", "hgemm", "e4m3", "e5m2", "nvjet_h", "nvjet_t", "flash"];

/// And what says that they have 32.
const FULL: &[&str] = &["sgemm", "scudnn", "f32f32_f32f32", "_engine<float"];

impl Precision {
    /// By the name of a kernel; nothing where that does not tell, or it multiplies no matrices.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        if let Some(contraction) = name.strip_prefix("Cijk_") {
            let types = contraction.split('_').nth(2)?;
            return match types.as_bytes().first()? {
                b'S' => Some(Self::Full),
                b'H' | b'B' | b'F' => Some(Self::Half),
                _ => None,
            };
        }
        let has = |marks: &[&str]| marks.iter().any(|mark| name.contains(mark));
        if !has(MATRIX) {
            None
        } else if has(HALF) {
            Some(Self::Half)
        } else if has(&["tf32", "s1688"]) {
            Some(Self::Tf32)
        } else {
            has(FULL).then_some(Self::Full)
        }
    }
}

impl Matrix {
    /// Of all that ran.
    pub(super) fn of(sums: &Sums, names: &Names) -> Self {
        let mut matrix = Self::default();
        let computes = |kernel: &Kernel| kernel.work == Work::Computation;
        for kernel in sums.each(names).filter(computes) {
            let us = match Precision::of(&kernel.name) {
                None => continue,
                Some(Precision::Half) => {
                    matrix.half_us += kernel.sum_us;
                    continue;
                }
                Some(Precision::Tf32) => &mut matrix.tf32_us,
                Some(Precision::Full) => &mut matrix.full_us,
            };
            *us += kernel.sum_us;
            if kernel.sum_us > matrix.costliest_us {
                (matrix.costliest_us, matrix.costliest) = (kernel.sum_us, Some(kernel.name));
            }
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_precision() {
        use Precision::{Full, Half, Tf32};
        for (name, expected) in [
            ("volta_sgemm_128x32_nt", Some(Full)),
            ("ampere_sgemm_32x32_sliced1x4_tn", Some(Full)),
            ("cudnn_ampere_scudnn_128x64_relu_xregs_large_nn_v1", Some(Full)),
            ("void cudnn::detail::dgrad_engine<float, 512, 6, 5, 3, 3, 3, false>(int, int)", Some(Full)),
            ("sm90_xmma_gemm_f32f32_f32f32_f32_nn_n_tilesize128x128x32", Some(Full)),
            ("void cutlass::Kernel<cutlass_80_tensorop_s1688gemm_256x64_16x4_nn_align4>(x)", Some(Tf32)),
            ("sm80_xmma_fprop_implicit_gemm_indexed_tf32f32_tf32f32_f32_nhwckrsc_nchw", Some(Tf32)),
            ("volta_fp16_s884gemm_fp16_128x64_ldg8_f2f_nn", Some(Half)),
            ("turing_fp16_s1688gemm_fp16_128x128_ldg8_f2f_tn", Some(Half)),
            ("ampere_bf16_s16816gemm_bf16_128x64_ldg8_relu_f2f_stages_64x4_tn", Some(Half)),
            ("void flash_fwd_kernel<Flash_fwd_kernel_traits<64, 128>>(x)", Some(Half)),
            ("nvjet_hsh_256x128_64x4_1x2_h_bz_coopA_NNT", Some(Half)),
            ("Cijk_Alik_Bljk_SB_Bias_MT64x16x32", Some(Full)),
            ("Cijk_Alik_Bljk_BBS_BH_Bias_MT128x128x64", Some(Half)),
            ("Cijk_Alik_Bljk_DB_MT64x64x16", None),
            ("ampere_gcgemm_64x64_nt", None),
            ("void fbgemm_gpu::permute_2D_data_kernel<false, int>(int)", None),
            ("void cudnn::bn_bw_1C11_kernel_new<float, float, float2, 128, true, 1>(float)", None),
            ("void at::native::vectorized_elementwise_kernel<4, c10::Half>", None),
        ] {
            assert_eq!(Precision::of(name), expected, "{name}");
        }
    }
}

// Attention over the allowed keys alone, rotation included, forward and backward; `sparse.py` builds and calls it, `plan.py` makes the lists.
//
// Sequences are concatenated. A block is a run of query rows; each sees a list of key rows and, causally, the rows of its own block. Queries lie in the
// lanes of a vector and keys are read where they are, so nothing is gathered and no softmax needs a horizontal sum. Vectors are as wide as the
// processor's: the loader compiles on the machine that trains.
#include <torch/library.h>
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <cmath>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16;
constexpr int TILE = 8;  // rows of a register tile: 8 x 2 accumulators of 32 registers
#else
constexpr int LANES = 8;
constexpr int TILE = 4;
#endif
typedef float Vec __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t Ints __attribute__((vector_size(LANES * 4), aligned(4)));

inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
inline void store(float* p, Vec x) { *reinterpret_cast<Vec*>(p) = x; }
inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }

// e^x for x <= 88, within 2 ulp (Cephes expf); below -87 it stays at e^-87.
inline Vec exponential(Vec x) {
  const Vec magic = Vec{} + 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number in the low bits
  x = larger(x, Vec{} - 87.0f);
  Vec shifted = x * 1.44269504f + magic;
  Vec n = shifted - magic;
  Vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
  Vec p = Vec{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + (r + 1.0f);
  Ints exponent = ((Ints)shifted - (Ints)magic + 127) << 23;
  return p * (Vec)exponent;
}

// s[j][i] = keys[j] . query i, for `width` dimensions; `transposed` is [width][lanes].
template <int R, int V, int D>
inline void scores_tile(const float* const* keys, const float* transposed, int lanes, float* s) {
  Vec acc[R][V] = {};
  for (int c = 0; c < D; c++) {
    Vec q[V];
    for (int v = 0; v < V; v++) q[v] = load(transposed + c * lanes + v * LANES);
    for (int r = 0; r < R; r++)
      for (int v = 0; v < V; v++) acc[r][v] += q[v] * keys[r][c];
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) store(s + r * lanes + v * LANES, acc[r][v]);
}

template <int V, int D>
void scores_columns(const float* const* keys, int count, const float* transposed, int lanes, float* s) {
  int j = 0;
  for (; j + TILE <= count; j += TILE) scores_tile<TILE, V, D>(keys + j, transposed, lanes, s + j * lanes);
  for (; j < count; j++) scores_tile<1, V, D>(keys + j, transposed, lanes, s + j * lanes);
}

template <int D>
void scores(const float* const* keys, int count, const float* transposed, int lanes, float* s) {
  int i = 0;
  for (; i + 2 * LANES <= lanes; i += 2 * LANES) scores_columns<2, D>(keys, count, transposed + i, lanes, s + i);
  if (i < lanes) scores_columns<1, D>(keys, count, transposed + i, lanes, s + i);
}

// out[i] = sum over j of weight[j][i] * rows[j], for R values of i.
template <int R, int D>
inline void mix_tile(const float* weight, int lanes, const float* const* rows, int count, float* out) {
  constexpr int V = D / LANES;
  Vec acc[R][V] = {};
  for (int j = 0; j < count; j++) {
    Vec x[V];
    for (int v = 0; v < V; v++) x[v] = load(rows[j] + v * LANES);
    for (int r = 0; r < R; r++)
      for (int v = 0; v < V; v++) acc[r][v] += x[v] * weight[j * lanes + r];
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) store(out + r * D + v * LANES, acc[r][v]);
}

constexpr int MIX = TILE * 2 * LANES / 32;  // the same number of accumulators at a head width of 32

template <int D>
void mix(const float* weight, int lanes, const float* const* rows, int count, int queries, float* out) {
  int i = 0;
  for (; i + MIX <= queries; i += MIX) mix_tile<MIX, D>(weight + i, lanes, rows, count, out + i * D);
  for (; i < queries; i++) mix_tile<1, D>(weight + i, lanes, rows, count, out + i * D);
}

// into[j] += sum over i of weight[j][i] * x[i], x [queries][D]; R values of j. The targets of one block are distinct rows.
template <int R, int D>
inline void scatter_tile(const float* weight, int lanes, const float* x, int queries, float* const* into) {
  constexpr int V = D / LANES;
  Vec acc[R][V];
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) acc[r][v] = load(into[r] + v * LANES);
  for (int i = 0; i < queries; i++) {
    Vec y[V];
    for (int v = 0; v < V; v++) y[v] = load(x + i * D + v * LANES);
    for (int r = 0; r < R; r++)
      for (int v = 0; v < V; v++) acc[r][v] += y[v] * weight[r * lanes + i];
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) store(into[r] + v * LANES, acc[r][v]);
}

template <int D>
void scatter(const float* weight, int lanes, const float* x, int queries, float* const* into, int count) {
  int j = 0;
  for (; j + MIX <= count; j += MIX) scatter_tile<MIX, D>(weight + j * lanes, lanes, x, queries, into + j);
  for (; j < count; j++) scatter_tile<1, D>(weight + j * lanes, lanes, x, queries, into + j);
}

struct Plan {
  int blocks;
  const int32_t *first, *last, *start, *keys;
};

struct Rotations {
  const float *cos_query, *sin_query, *cos_key, *sin_key;
};

// One head's rows, rotated; queries scaled by 1 / sqrt(D).
template <int D, typename T>
void read_head(const T* qkv, int rows, int width, int head, const Rotations& rotations, float* q, float* k, float* v) {
  constexpr int HALF = D / 2;
  const float scale = 1.0f / std::sqrt(float(D));
  for (int t = 0; t < rows; t++) {
    const T* x = qkv + int64_t(t) * 3 * width + head * D;
    const float *cq = rotations.cos_query + t * HALF, *sq = rotations.sin_query + t * HALF, *ck = rotations.cos_key + t * HALF, *sk = rotations.sin_key + t * HALF;
    for (int i = 0; i < HALF; i++) {
      float a = float(x[i]) * scale, b = float(x[HALF + i]) * scale;
      q[t * D + i] = a * cq[i] - b * sq[i];
      q[t * D + HALF + i] = b * cq[i] + a * sq[i];
      float c = float(x[width + i]), d = float(x[width + HALF + i]);
      k[t * D + i] = c * ck[i] - d * sk[i];
      k[t * D + HALF + i] = d * ck[i] + c * sk[i];
    }
    for (int i = 0; i < D; i++) v[t * D + i] = float(x[2 * width + i]);
  }
}

template <int D>
void transpose(const float* rows, int count, int lanes, float* out) {
  std::fill(out, out + D * lanes, 0.0f);
  for (int i = 0; i < count; i++)
    for (int c = 0; c < D; c++) out[c * lanes + i] = rows[i * D + c];
}

// Rows of `base` that a block sees: its list, then its own rows.
template <int D, typename P>
void pointers(const Plan& plan, int block, float* base, std::vector<P>& out) {
  int listed = plan.start[block + 1] - plan.start[block], own = plan.last[block] - plan.first[block];
  out.resize(listed + own);
  for (int j = 0; j < listed; j++) out[j] = base + int64_t(plan.keys[plan.start[block] + j]) * D;
  for (int j = 0; j < own; j++) out[listed + j] = base + int64_t(plan.first[block] + j) * D;
}

template <int D, typename T>
void forward_head(const T* qkv, int rows, int width, int head, const Rotations& rotations, const Plan& plan, T* out, float* log_sum) {
  std::vector<float> q(rows * D), k(rows * D), v(rows * D), transposed, s, mixed, total;
  std::vector<const float*> keys, values;
  read_head<D>(qkv, rows, width, head, rotations, q.data(), k.data(), v.data());
  for (int b = 0; b < plan.blocks; b++) {
    int first = plan.first[b], own = plan.last[b] - first, listed = plan.start[b + 1] - plan.start[b], count = listed + own;
    int lanes = (own + LANES - 1) / LANES * LANES;
    transposed.resize(D * lanes), s.resize(int64_t(count) * lanes), mixed.resize(own * D), total.resize(lanes);
    pointers<D>(plan, b, k.data(), keys);
    pointers<D>(plan, b, v.data(), values);
    transpose<D>(&q[first * D], own, lanes, transposed.data());
    scores<D>(keys.data(), count, transposed.data(), lanes, s.data());
    for (int j = 1; j < own; j++) std::fill_n(&s[int64_t(listed + j) * lanes], j, -1e30f);
    for (int i = 0; i < lanes; i += LANES) {
      Vec top = load(&s[i]);
      for (int j = 1; j < count; j++) top = larger(top, load(&s[int64_t(j) * lanes + i]));
      Vec sum = {};
      for (int j = 0; j < count; j++) {
        float* at = &s[int64_t(j) * lanes + i];
        Vec e = exponential(load(at) - top);
        sum += e;
        store(at, e);
      }
      store(&total[i], sum);
      for (int l = 0; l < LANES && i + l < own; l++) log_sum[int64_t(head) * rows + first + i + l] = top[l] + std::log(sum[l]);
    }
    for (int j = 1; j < own; j++) std::fill_n(&s[int64_t(listed + j) * lanes], j, 0.0f);
    mix<D>(s.data(), lanes, values.data(), count, own, mixed.data());
    for (int i = 0; i < own; i++) {
      T* to = out + int64_t(first + i) * width + head * D;
      float share = 1.0f / total[i];
      for (int c = 0; c < D; c++) to[c] = T(mixed[i * D + c] * share);
    }
  }
}

template <int D, typename T>
void backward_head(const T* qkv, int rows, int width, int head, const Rotations& rotations, const Plan& plan, const T* out, const float* log_sum,
                   const T* grad, T* grad_qkv) {
  constexpr int HALF = D / 2;
  std::vector<float> q(rows * D), k(rows * D), v(rows * D), dq(rows * D), dk(rows * D), dv(rows * D), dout(rows * D);
  std::vector<float> transposed, dout_transposed, p, dp, delta;
  std::vector<const float*> keys, values;
  std::vector<float*> to_keys, to_values;
  read_head<D>(qkv, rows, width, head, rotations, q.data(), k.data(), v.data());
  for (int t = 0; t < rows; t++)
    for (int c = 0; c < D; c++) dout[t * D + c] = float(grad[int64_t(t) * width + head * D + c]);
  for (int b = 0; b < plan.blocks; b++) {
    int first = plan.first[b], own = plan.last[b] - first, listed = plan.start[b + 1] - plan.start[b], count = listed + own;
    int lanes = (own + LANES - 1) / LANES * LANES;
    transposed.resize(D * lanes), dout_transposed.resize(D * lanes), p.resize(int64_t(count) * lanes), dp.resize(int64_t(count) * lanes);
    delta.assign(2 * lanes, 0.0f);  // then the logarithms of the sums
    for (int i = 0; i < own; i++) {
      const T* o = out + int64_t(first + i) * width + head * D;
      float sum = 0;
      for (int c = 0; c < D; c++) sum += float(o[c]) * dout[(first + i) * D + c];
      delta[i] = sum;
      delta[lanes + i] = log_sum[int64_t(head) * rows + first + i];
    }
    pointers<D>(plan, b, k.data(), keys);
    pointers<D>(plan, b, v.data(), values);
    pointers<D>(plan, b, dk.data(), to_keys);
    pointers<D>(plan, b, dv.data(), to_values);
    transpose<D>(&q[first * D], own, lanes, transposed.data());
    transpose<D>(&dout[first * D], own, lanes, dout_transposed.data());
    scores<D>(keys.data(), count, transposed.data(), lanes, p.data());
    scores<D>(values.data(), count, dout_transposed.data(), lanes, dp.data());
    for (int j = 1; j < own; j++) std::fill_n(&p[int64_t(listed + j) * lanes], j, -1e30f);
    for (int j = 0; j < count; j++)
      for (int i = 0; i < lanes; i += LANES) {
        float *at = &p[int64_t(j) * lanes + i], *d = &dp[int64_t(j) * lanes + i];
        Vec e = exponential(load(at) - load(&delta[lanes + i]));
        store(at, e);
        store(d, e * (load(d) - load(&delta[i])));
      }
    for (int j = 1; j < own; j++) {
      std::fill_n(&p[int64_t(listed + j) * lanes], j, 0.0f);
      std::fill_n(&dp[int64_t(listed + j) * lanes], j, 0.0f);
    }
    scatter<D>(p.data(), lanes, &dout[first * D], own, to_values.data(), count);
    scatter<D>(dp.data(), lanes, &q[first * D], own, to_keys.data(), count);
    mix<D>(dp.data(), lanes, keys.data(), count, own, &dq[first * D]);
  }
  const float scale = 1.0f / std::sqrt(float(D));
  for (int t = 0; t < rows; t++) {
    T* x = grad_qkv + int64_t(t) * 3 * width + head * D;
    const float *cq = rotations.cos_query + t * HALF, *sq = rotations.sin_query + t * HALF, *ck = rotations.cos_key + t * HALF, *sk = rotations.sin_key + t * HALF;
    for (int i = 0; i < HALF; i++) {
      float a = dq[t * D + i] * scale, b = dq[t * D + HALF + i] * scale;
      x[i] = T(a * cq[i] + b * sq[i]);
      x[HALF + i] = T(b * cq[i] - a * sq[i]);
      float c = dk[t * D + i], d = dk[t * D + HALF + i];
      x[width + i] = T(c * ck[i] + d * sk[i]);
      x[width + HALF + i] = T(d * ck[i] - c * sk[i]);
    }
    for (int i = 0; i < D; i++) x[2 * width + i] = T(dv[t * D + i]);
  }
}

struct Call {
  at::Tensor qkv;
  int rows, width, heads, head_width;
  Rotations rotations;
  Plan plan;
  std::vector<at::Tensor> kept;

  Call(const at::Tensor& qkv_, at::TensorList rotation, at::TensorList lists, int64_t heads_)
      : qkv(qkv_.contiguous()), rows(qkv.size(0)), width(qkv.size(1) / 3), heads(heads_), head_width(width / heads) {
    TORCH_CHECK(rotation.size() == 4 && lists.size() == 4, "four tables of rotation and four lists of the plan");
    for (const auto& x : rotation) {
      kept.push_back(x.contiguous());
      TORCH_CHECK(x.scalar_type() == at::kFloat && x.numel() == int64_t(rows) * head_width / 2, "rotation must be float32 [rows, head width / 2]");
    }
    for (const auto& x : lists) {
      kept.push_back(x.contiguous());
      TORCH_CHECK(x.scalar_type() == at::kInt, "the plan's lists must be int32");
    }
    rotations = {kept[0].data_ptr<float>(), kept[1].data_ptr<float>(), kept[2].data_ptr<float>(), kept[3].data_ptr<float>()};
    plan = {int(lists[0].numel()), kept[4].data_ptr<int32_t>(), kept[5].data_ptr<int32_t>(), kept[6].data_ptr<int32_t>(), kept[7].data_ptr<int32_t>()};
    TORCH_CHECK(lists[2].numel() == plan.blocks + 1 && (!plan.blocks || plan.last[plan.blocks - 1] <= rows), "the plan is not of these rows");
  }
};

// Calls `run` with the head width and the type of the rows as constants, for each head, on PyTorch's threads.
template <typename F>
void for_heads(const Call& call, F run) {
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, call.qkv.scalar_type(), "antiphon_attend", [&] {
    at::parallel_for(0, call.heads, 1, [&](int64_t from, int64_t to) {
      for (int64_t head = from; head < to; head++) switch (call.head_width) {
          case 16: run.template operator()<16, scalar_t>(int(head)); break;
          case 32: run.template operator()<32, scalar_t>(int(head)); break;
          case 64: run.template operator()<64, scalar_t>(int(head)); break;
          default: TORCH_CHECK(false, "head widths are 16, 32 and 64");
        }
    });
  });
}

std::tuple<at::Tensor, at::Tensor> attend(const at::Tensor& qkv, at::TensorList rotation, at::TensorList lists, int64_t heads) {
  Call call(qkv, rotation, lists, heads);
  auto out = at::zeros({call.rows, call.width}, call.qkv.options());
  auto log_sum = at::zeros({heads, call.rows}, call.qkv.options().dtype(at::kFloat));
  for_heads(call, [&]<int D, typename T>(int head) {
    forward_head<D, T>(call.qkv.data_ptr<T>(), call.rows, call.width, head, call.rotations, call.plan, out.data_ptr<T>(), log_sum.data_ptr<float>());
  });
  return {out, log_sum};
}

at::Tensor attend_backward(const at::Tensor& qkv, at::TensorList rotation, at::TensorList lists, int64_t heads, const at::Tensor& out,
                           const at::Tensor& log_sum, const at::Tensor& grad_) {
  Call call(qkv, rotation, lists, heads);
  auto grad = grad_.contiguous();
  auto grad_qkv = at::empty_like(call.qkv);
  for_heads(call, [&]<int D, typename T>(int head) {
    backward_head<D, T>(call.qkv.data_ptr<T>(), call.rows, call.width, head, call.rotations, call.plan, out.data_ptr<T>(), log_sum.data_ptr<float>(),
                        grad.data_ptr<T>(), grad_qkv.data_ptr<T>());
  });
  return grad_qkv;
}

}  // namespace

TORCH_LIBRARY(antiphon, m) {
  m.def("attend(Tensor qkv, Tensor[] rotation, Tensor[] lists, int heads) -> (Tensor, Tensor)");
  m.def("attend_backward(Tensor qkv, Tensor[] rotation, Tensor[] lists, int heads, Tensor out, Tensor log_sum, Tensor grad) -> Tensor");
}

TORCH_LIBRARY_IMPL(antiphon, CPU, m) {
  m.impl("attend", attend);
  m.impl("attend_backward", attend_backward);
}

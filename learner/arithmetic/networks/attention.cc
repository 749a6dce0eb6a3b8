#include "learner/arithmetic/networks/attention.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "learner/arithmetic/networks/dense_stack.h"

namespace troupe {
namespace {

// Added to the score of a token that is not there: its share is then exactly 0 wherever another is.
constexpr double kOutOfSight = -1e10;

// One call's parameters and sizes.
class Attention {
 public:
  Attention(const DenseStackSpec& spec, const at::Tensor& parameters, int64_t rows)
      : spec_(spec), of_(spec.attention), parts_(SplitParameters(spec, parameters)), rows_(rows) {}

  // Tokens [rows, tokens, size] of x [rows, input].
  at::Tensor Embed(const at::Tensor& x) const {
    std::vector<at::Tensor> tokens;
    int64_t first = 0;
    for (size_t k = 0; k < of_.kinds.size(); ++k) {
      const AttentionSpec::Kind& kind = of_.kinds[k];
      const std::string name = absl::StrCat("embeddings.", k, ".");
      const int64_t numbers = int64_t{kind.tokens} * kind.size;
      at::Tensor seen = x.narrow(1, first, numbers).reshape({rows_ * kind.tokens, kind.size});
      if (spec_.input_layer_norm) seen = Norm(seen, name + "norm");
      tokens.push_back(Product(seen, name).view({rows_, kind.tokens, of_.token_size}));
      first += numbers;
    }
    return at::cat(tokens, 1);
  }

  // Whether a token is there, 1 or 0: [rows, tokens].
  at::Tensor Presence(const at::Tensor& x) const {
    const int64_t flags = of_.num_flags();
    return at::cat({x.narrow(1, spec_.input_size - flags, flags), x.new_ones({rows_, of_.num_tokens() - flags})}, 1);
  }

  at::Tensor Layer(int number, const at::Tensor& tokens, const at::Tensor& presence) const {
    const std::string name = absl::StrCat("attention.", number, ".");
    const int64_t count = of_.num_tokens(), size = of_.token_size, heads = of_.heads;
    const at::Tensor flat = tokens.reshape({rows_ * count, size});
    // [queries, keys, values][rows, heads, tokens, size of a head]
    const at::Tensor parts =
        Product(flat, name + "input_").view({rows_, count, 3, heads, size / heads}).permute({2, 0, 3, 1, 4});
    const at::Tensor seen = presence.view({rows_, 1, 1, count});
    const at::Tensor scores = at::matmul(parts[0], parts[1].transpose(-2, -1)) / std::sqrt(double(size / heads));
    // Where nothing is there the shares are of nothing, too.
    const at::Tensor shares = at::softmax(scores + (1 - seen) * kOutOfSight, -1) * seen;
    const at::Tensor mixed = at::matmul(shares, parts[2]).transpose(1, 2).reshape({rows_ * count, size});
    const at::Tensor attended = Norm(flat + Product(mixed, name + "mix_"), name + "norm");
    const at::Tensor fed = Product(attended, name + "feed_");
    const at::Tensor bent = spec_.activation == Activation::kRelu ? at::relu(fed) : at::tanh(fed);
    return Norm(attended + bent, name + "feed_norm").view({rows_, count, size});
  }

 private:
  // `name` begins those of weight and bias.
  at::Tensor Product(const at::Tensor& x, const std::string& name) const {
    return at::addmm(parts_.at(name + "bias")[0], x, parts_.at(name + "weight")[0]);
  }
  at::Tensor Norm(const at::Tensor& x, const std::string& name) const {
    return at::layer_norm(x, {x.size(-1)}, parts_.at(name + ".gain")[0], parts_.at(name + ".bias")[0],
                          kLayerNormEpsilon);
  }

  const DenseStackSpec& spec_;
  const AttentionSpec& of_;
  const std::map<std::string, at::Tensor> parts_;
  const int64_t rows_;
};

}  // namespace

at::Tensor AttentionForward(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& x) {
  const int64_t rows = x.size(1), size = spec.attention.token_size;
  const Attention attention(spec, parameters, rows);
  const at::Tensor presence = attention.Presence(x[0]);
  at::Tensor tokens = attention.Embed(x[0]);
  for (int layer = 0; layer < spec.attention.layers; ++layer) tokens = attention.Layer(layer, tokens, presence);

  const DenseStackSpec after = spec.AfterAttention();
  const int64_t own = spec.num_parameters() - after.num_parameters();
  const at::Tensor last = parameters.narrow(0, own, after.num_parameters());
  if (spec.attention.per_token) {
    const int64_t outputs = spec.attention.num_flags();
    const at::Tensor each = tokens.narrow(1, 0, outputs).reshape({1, rows * outputs, size});
    return ForwardReference(after, last, each).view({1, rows, outputs});
  }
  const at::Tensor seen = presence.unsqueeze(-1);
  const at::Tensor mean = (tokens * seen).sum(1) / seen.sum(1).clamp_min(1);
  return ForwardReference(after, last, mean.unsqueeze(0));
}

}  // namespace troupe

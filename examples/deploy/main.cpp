// Run a compiled step over a stream of inputs: each line of standard input has the numbers of one input, and each line
// of standard output those of the output. The state is carried from step to step.
//
//     stream step.pt2 state.pt < inputs.txt > outputs.txt

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::vector<torch::Tensor> read_state(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return torch::pickle_load(bytes).toTensorVector();
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::cerr << "usage: stream STEP.pt2 STATE.pt < INPUTS > OUTPUTS\n";
    return 2;
  }
  const torch::InferenceMode inference;
  torch::inductor::AOTIModelPackageLoader step(words[1]);
  std::vector<torch::Tensor> state = read_state(words[2]);
  std::cout.precision(9);

  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream numbers(line);
    const std::vector<float> x{std::istream_iterator<float>(numbers), std::istream_iterator<float>()};
    std::vector<torch::Tensor> given{torch::tensor(x).unsqueeze(0)};
    given.insert(given.end(), state.begin(), state.end());
    const std::vector<torch::Tensor> results = step.run(given);
    state.assign(results.begin() + 1, results.end());
    const torch::Tensor y = results[0].contiguous();
    for (int64_t at = 0; at < y.numel(); ++at) {
      std::cout << (at ? " " : "") << y.data_ptr<float>()[at];
    }
    std::cout << '\n';
  }
  return 0;
}

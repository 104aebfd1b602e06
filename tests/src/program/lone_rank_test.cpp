#include "src/program/lone_rank.hpp"

#include <map>

#include <gtest/gtest.h>

namespace recombine {
namespace {

using Variables = std::map<std::string, const char*>;

std::optional<LoneRank> find(int ranks, const Variables& variables) {
  return find_lone_rank(ranks, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second;
  });
}

TEST(LoneRankTest, ProcessesThatMpiDoesNotConnect) {
  for (const Variables& variables :
       {Variables{{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "0"}},
        Variables{{"PMI_SIZE", "4"}, {"PMI_RANK", "0"}}, Variables{{"FLUX_JOB_SIZE", "4"}, {"FLUX_TASK_RANK", "0"}},
        Variables{{"PMI_SIZE", "2"}}}) {
    const auto lone = find(1, variables);
    ASSERT_TRUE(lone) << variables.begin()->first;
    EXPECT_TRUE(lone->prints);
    EXPECT_NE(lone->message.find("expected a launch by"), std::string::npos);
  }
}

TEST(LoneRankTest, OneProcessPrints) {
  const auto lone = find(1, {{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "3"}});
  ASSERT_TRUE(lone);
  EXPECT_FALSE(lone->prints);
}

TEST(LoneRankTest, LaunchesThatAreRight) {
  EXPECT_FALSE(find(1, {}));
  EXPECT_FALSE(find(4, {{"SLURM_STEP_NUM_TASKS", "4"}}));  // srun --mpi=pmix
  EXPECT_FALSE(find(1, {{"SLURM_STEP_NUM_TASKS", "1"}}));
  EXPECT_FALSE(find(1, {{"SLURM_NTASKS", "4"}}));  // one process in a batch script, without srun
  EXPECT_FALSE(find(1, {{"SLURM_STEP_NUM_TASKS", "4"}, {"OMPI_COMM_WORLD_SIZE", "1"}}));  // mpirun -np 1 in a step
}

}  // namespace
}  // namespace recombine
